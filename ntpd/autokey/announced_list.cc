#include "ntpd/autokey/announced_list.h"

#include "ntpd/autokey/calendar.h"
#include "ntpd/autokey/crypto_statistics.h"

namespace ntpward::autokey {
namespace {

constexpr size_t kAnnouncementOctets = 8;

bool StampsInOrder(NtpSeconds earlier, NtpSeconds later) {
  return earlier.value == 0 || !Earlier(later, earlier);
}

}  // namespace

bool AnnouncedList::WasAhead(const Proof& proof) const {
  return proof.begun != proof_ && proof.newest.value != 0 && Earlier(proof.newest, timestamp_);
}

AnnouncedList::Result AnnouncedList::OnAnnouncement(Bytes bytes, uint32_t association,
                                                    const Check& check,
                                                    const std::optional<Proof>& proof) {
  Result result;
  const auto fail = [&](Outcome outcome) {
    result.outcome = outcome;
    result.statistics =
        OutcomeLine(bytes.size() < 4 ? 0 : Reader(bytes).U32(), association, outcome);
    return result;
  };
  const auto field = wire::ParseAutokeyField(bytes);
  if (!field.ok()) return fail(Outcome::kLength);
  const wire::AutokeyFieldHead wanted{
      true, false, static_cast<uint8_t>(wire::AutokeyCode::kAutokey), association};
  if (field->head != wanted) return fail(Outcome::kProtocol);
  if (!field->has_value || field->value.size() != kAnnouncementOctets)
    return fail(Outcome::kLength);
  if (field->timestamp.value == 0 || !StampsInOrder(field->filestamp, field->timestamp))
    return fail(Outcome::kTimestamp);
  const bool in_time = StampsInOrder(timestamp_, field->timestamp);
  const bool was_ahead = proof && WasAhead(*proof);
  result.older = !was_ahead && (!in_time || !StampsInOrder(filestamp_, field->filestamp));
  if (result.older) return fail(in_time ? Outcome::kFilestamp : Outcome::kTimestamp);
  Reader value(field->value);
  const KeyId key{value.U32()};
  const uint32_t sequence = value.U32();
  // Nobody's lists are longer; a negative number of the reference is a large one here.
  if (sequence >= msg::kMaxKeyList || key.is_none()) return fail(Outcome::kLength);
  if (const Outcome checked = check(*field); checked != Outcome::kOk) return fail(checked);

  // The same again, after Resume: what was used of it stays used.
  const bool same = key == key_ && sequence == sequence_;
  if (!same) {
    from_ = key;
    last_good_ = KeyId{};
  }
  key_ = key;
  sequence_ = static_cast<uint8_t>(sequence);
  timestamp_ = field->timestamp;
  filestamp_ = field->filestamp;
  if (proof) proof_ = proof->begun;
  if (same && accepted_) return result;  // told again: its keys go on
  accepted_ = false;
  awaited_ = true;
  result.accept = Acceptance();
  result.statistics = AutokeyLine(sequence, key, timestamp_, filestamp_);
  return result;
}

msg::KeyListAccept AnnouncedList::Acceptance() const {
  return {.association = own_, .path = path_, .use = use_, .key = from_, .sequence = sequence_};
}

void AnnouncedList::OnVerdict(msg::VerdictCode code) {
  awaited_ = false;
  accepted_ = code == msg::VerdictCode::kGood;
  followed_ = followed_ || accepted_;
}

std::optional<msg::KeyListAccept> AnnouncedList::Resume() {
  Void();
  if (!followed_) return std::nullopt;
  if (!last_good_.is_none()) from_ = last_good_;
  awaited_ = true;
  return Acceptance();
}

std::vector<uint8_t> AnnouncementRequest(uint32_t association) {
  std::vector<uint8_t> bytes(wire::kShortFieldSize);
  Writer writer(bytes);
  wire::EncodeShortField(
      writer, {false, false, static_cast<uint8_t>(wire::AutokeyCode::kAutokey), association});
  CHECK(writer.Finish());
  return bytes;
}

}  // namespace ntpward::autokey
