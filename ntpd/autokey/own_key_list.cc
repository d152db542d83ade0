#include "ntpd/autokey/own_key_list.h"

#include <algorithm>

#include "ntpd/wire/extension_field.h"

namespace ntpward::autokey {
namespace {

uint64_t Interval(int poll) { return uint64_t{1} << std::clamp(poll, 0, 31); }

// One for each poll of the list's life, and one for its end (ntpd 4.2.8).
uint8_t CountFor(int poll, uint8_t automax) {
  const uint64_t interval = Interval(poll);
  const uint64_t life = std::min(uint64_t{1} << automax, msg::kMaxKeyList * interval);
  return static_cast<uint8_t>(std::min<uint64_t>(life / interval + 1, msg::kMaxKeyList));
}

double LifeOf(int poll, uint8_t count) { return static_cast<double>((count + 1) * Interval(poll)); }

}  // namespace

OwnKeyList::OwnKeyList(AssocId own, msg::KeyListUse use, uint8_t automax)
    : own_(own), use_(use), automax_(automax) {}

std::optional<msg::KeyListMake> OwnKeyList::Due(const AddressPair& path, int poll, NtpSeconds now,
                                                MonoTime mono) {
  const uint8_t count = now.value == 0 ? 1 : CountFor(poll, automax_);
  const bool is_signed = now.value != 0;
  const bool is_old = mono - since_ >= LifeOf(poll, count);
  if (made_ && left_ > 0 && path == path_ && poll == poll_ && is_signed == was_signed_ && !is_old)
    return std::nullopt;
  if (made_ && is_old) expired_ += left_;
  made_ = false;
  left_ = 0;
  path_ = path;
  poll_ = poll;
  was_signed_ = is_signed;
  since_ = mono;
  msg::KeyListMake make;
  make.now = now;
  make.association = own_;
  make.path = path;
  make.use = use_;
  make.count = count;
  return make;
}

bool OwnKeyList::OnMade(const msg::ValueAnswer& answer) {
  Reader value(answer.value.span());
  value.Skip(4);
  const uint32_t last = value.U32();
  if (answer.code != msg::VerdictCode::kGood || !value.Finish() || last >= msg::kMaxKeyList)
    return false;
  answer_ = answer;
  left_ = static_cast<uint8_t>(last + 1);
  made_ = true;
  announced_ = false;
  return true;
}

double OwnKeyList::interval() const { return static_cast<double>(Interval(poll_)); }

void OwnKeyList::Void() {
  made_ = false;
  left_ = 0;
}

std::vector<uint8_t> OwnKeyList::Announcement(uint32_t association) const {
  CHECK(CanAnnounce());
  wire::AutokeyField field;
  field.head = {true, false, static_cast<uint8_t>(wire::AutokeyCode::kAutokey), association};
  field.has_value = true;
  field.timestamp = answer_.timestamp;
  field.filestamp = answer_.filestamp;
  field.value = answer_.value.span();
  field.signature = answer_.signature.span();
  std::vector<uint8_t> bytes(wire::AutokeyFieldSize(field.value.size(), field.signature.size()));
  Writer writer(bytes);
  wire::EncodeAutokeyField(writer, field);
  CHECK(writer.Finish());
  return bytes;
}

}  // namespace ntpward::autokey
