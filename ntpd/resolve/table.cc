#include "ntpd/resolve/table.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>

namespace ntpward::resolve {
namespace {

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

void AddAddress(const addrinfo& info, msg::ResolveAnswer* answer) {
  const auto address = SocketAddress::FromSockaddr(info.ai_addr, info.ai_addrlen);
  if (!address) return;
  const auto& have = answer->addresses;
  if (std::find(have.begin(), have.end(), address->ip) != have.end()) return;
  (void)answer->addresses.Push(address->ip);  // more than fit are not needed
}

}  // namespace

bool NameTable::Add(const msg::ResolveName& name) {
  if (Find(name.index) != nullptr) return false;
  names_.push_back(name);
  return true;
}

const msg::ResolveName* NameTable::Find(uint16_t index) const {
  const auto found = std::find_if(names_.begin(), names_.end(),
                                  [index](const auto& name) { return name.index == index; });
  return found == names_.end() ? nullptr : &*found;
}

msg::ResolveOutcome OutcomeOf(int failure) {
  switch (failure) {
    case 0:
      return msg::ResolveOutcome::kOk;
    case EAI_AGAIN:
    case EAI_SYSTEM:
    case EAI_MEMORY:
    case EAI_FAIL:
      return msg::ResolveOutcome::kTemporary;
    default:
      return msg::ResolveOutcome::kPermanent;
  }
}

msg::ResolveAnswer LookUp(const msg::ResolveName& name) {
  msg::ResolveAnswer answer;
  answer.index = name.index;
  addrinfo hints{};
  hints.ai_family = name.family == 4 ? AF_INET : name.family == 6 ? AF_INET6 : AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  const int failure = getaddrinfo(std::string(name.name.text()).c_str(), nullptr, &hints, &list);
  const std::unique_ptr<addrinfo, FreeAddresses> owned(list);
  answer.outcome = OutcomeOf(failure);
  if (failure != 0) return answer;
  for (const addrinfo* info = list; info != nullptr; info = info->ai_next)
    AddAddress(*info, &answer);
  if (answer.addresses.empty()) answer.outcome = msg::ResolveOutcome::kPermanent;
  return answer;
}

msg::ResolveAnswer Answer(const msg::ResolveName& name, LookUpRate* rate, MonoTime now) {
  if (rate->Take(now)) return LookUp(name);
  msg::ResolveAnswer answer;
  answer.index = name.index;
  answer.outcome = msg::ResolveOutcome::kTooOften;
  return answer;
}

}  // namespace ntpward::resolve
