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

// At least as many as listeners need to hear that another key signs, and to prove it.
uint8_t CountForNotice(int poll) {
  const double count =
      2 * OwnKeyList::kTellings + OwnKeyList::kNoticeSeconds / static_cast<double>(Interval(poll));
  return static_cast<uint8_t>(std::min<double>(count, msg::kMaxKeyList));
}

double LifeOf(int poll, uint8_t count) { return static_cast<double>((count + 1) * Interval(poll)); }

}  // namespace

OwnKeyList::OwnKeyList(AssocId own, msg::KeyListUse use, uint8_t automax)
    : own_(own), use_(use), automax_(automax) {}

std::optional<msg::KeyListMake> OwnKeyList::Due(const AddressPair& path, int poll, NtpSeconds now,
                                                MonoTime mono) {
  const bool is_signed = now.value != 0;
  const bool is_old = mono - since_ >= life_;
  const bool will_do =
      made_ && left_ > 0 && path == path_ && poll == poll_ && is_signed == was_signed_ && !is_old;
  asked_again_ = will_do;
  if (will_do && (!is_signed || signed_by_ == elder_)) return std::nullopt;
  uint8_t count = is_signed ? CountFor(poll, automax_) : 1;
  if (bridge_ && is_signed) count = std::max(count, CountForNotice(poll));
  msg::KeyListMake make;
  make.now = now;
  make.association = own_;
  make.path = path;
  make.use = use_;
  make.count = count;
  make.elder = asked_elder_ = elder_;
  make.again = asked_again_;
  if (asked_again_) return make;
  if (made_ && is_old) expired_ += left_;
  made_ = false;
  left_ = 0;
  path_ = path;
  poll_ = poll;
  was_signed_ = is_signed;
  since_ = mono;
  life_ = LifeOf(poll, count);
  return make;
}

bool OwnKeyList::OnMade(const msg::ValueAnswer& answer) {
  if (asked_again_) return OnSignedAgain(answer);
  Reader value(answer.value.span());
  value.Skip(4);
  const uint32_t last = value.U32();
  if (answer.code != msg::VerdictCode::kGood || !value.Finish() || last >= msg::kMaxKeyList)
    return false;
  answer_ = answer;
  left_ = static_cast<uint8_t>(last + 1);
  made_ = true;
  announced_ = false;
  tellings_ = 0;
  signed_by_ = asked_elder_;
  return true;
}

// While the key process is too busy the list goes on under the signature that it has.
bool OwnKeyList::OnSignedAgain(const msg::ValueAnswer& answer) {
  asked_again_ = false;
  if (!made_ || answer.code == msg::VerdictCode::kBusy) return made_;
  if (answer.code != msg::VerdictCode::kGood || !(answer.value == answer_.value)) {
    Void();
    return false;
  }
  answer_ = answer;
  signed_by_ = asked_elder_;
  if (use_ == msg::KeyListUse::kBroadcast) tellings_ = kTellings;
  return true;
}

bool OwnKeyList::IsShort() const {
  return left_ < 2 * kTellings || left_ * interval() < kNoticeSeconds;
}

void OwnKeyList::OnSignerReplaced() {
  const auto before = [](uint8_t elder) {
    return static_cast<uint8_t>(std::min<int>(elder + 1, msg::kMaxElders));
  };
  const bool short_list = made_ && IsShort();
  signed_by_ = before(signed_by_);
  if (use_ == msg::KeyListUse::kSymmetric || elder_ != 0) {
    elder_ = before(elder_);
  } else if (short_list) {
    elder_ = signed_by_;
    bridge_ = true;
    Void();
  }
}

void OwnKeyList::OnSignerLost() {
  elder_ = 0;
  bridge_ = false;
  Void();
}

void OwnKeyList::OnAnnounced() {
  if (announced_ && tellings_ > 0) --tellings_;
  announced_ = true;
  if (use_ != msg::KeyListUse::kBroadcast) return;
  bridge_ = false;
  elder_ = 0;
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
