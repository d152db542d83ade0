// Messages between our processes: a damaged one is refused whole, whatever the damage.
#include "privsep/msg/codec.h"

#include "privsep/msg/clock.h"
#include "privsep/msg/control.h"
#include "privsep/msg/heritage.h"
#include "privsep/msg/keys.h"
#include "privsep/msg/resolve.h"
#include "privsep/msg/role.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::msg {
namespace {

template <size_t N>
void Fill(InlineBytes<N>* bytes, size_t size, uint8_t value) {
  assert_true(bytes->Resize(size));
  for (uint8_t& octet : bytes->span()) octet = value;
}

CookieIssue ValidCookieIssue() {
  CookieIssue m;
  m.request = 7;
  m.now = {1234};
  m.path = {IpAddress::V4(10, 0, 0, 2), IpAddress::V4(10, 0, 0, 1)};
  Fill(&m.modulus, 256, 0x81);
  m.exponent = 65537;
  return m;
}

HeritageAssociation ValidHeritage() {
  const AddressPair path{IpAddress::V4(10, 77, 0, 1), IpAddress::V4(10, 77, 0, 2)};
  HeritageAssociation record{.association = {7}, .cookie = 0x12345678};
  record.peer_cookie = HeritageCookie{.ours = 1, .agreed = 2, .told = true};
  auto& own = record.own_list.emplace();
  own = {.path = path, .announced = {70000}, .sequence = 4, .taken = {70001}};
  assert_true(own.unused.Push(70002) && own.unused.Push(70003));
  record.accepted_list = HeritageAcceptedList{
      .path = path, .announced = {70000}, .sequence = 4, .last = {70001}, .left = 3};
  return record;
}

void AHeritageIsWithinItsBounds(void**) {
  assert_true(ValidHeritage().own_list->Valid() && ValidHeritage().accepted_list->Valid());
  auto record = ValidHeritage();
  record.own_list->sequence = 0;
  assert_false(record.own_list->Valid());
  record.own_list->sequence = kMaxKeyList;
  assert_false(record.own_list->Valid());
  record.accepted_list->left = 6;
  assert_false(record.accepted_list->Valid());
  record.association = {};
  assert_false(record.Valid());
}

ServeBatch ValidServeBatch() {
  ServeBatch m;
  ServeJob job;
  job.key = {5};
  job.path = {*IpAddress::Parse("fe80::1%3"), *IpAddress::Parse("fe80::2%3")};
  Fill(&job.covered, 48, 0xaa);
  Fill(&job.digest, 20, 0xbb);
  for (int i = 0; i < 20; ++i) assert_true(m.jobs.Push(job));
  return m;
}

// Encodes, decodes, encodes again: the bytes are the same. Then damages them in every place.
template <Message M>
void SurvivesOnlyWhole(const M& message) {
  Encoded bytes;
  Encode(message, &bytes);
  M decoded;
  assert_true(Decode(bytes.span(), &decoded));
  Encoded again;
  Encode(decoded, &again);
  assert_true(bytes == again);

  for (size_t size = 0; size < bytes.size(); ++size) {
    M scratch;
    assert_false(Decode(Bytes(bytes.span()).first(size), &scratch));
  }
  Encoded longer = bytes;
  if (longer.Resize(bytes.size() + 1)) {
    M scratch;
    assert_false(Decode(longer.span(), &scratch));
  }
  Encoded other = bytes;
  other.span()[2] ^= 1;  // version
  M scratch;
  assert_false(Decode(other.span(), &scratch));
}

void EveryMessageSurvivesOnlyWhole(void**) {
  SurvivesOnlyWhole(LogLine{});
  SurvivesOnlyWhole(MakeLogLine(LogLevel::kNotice, "an order", LogKind::kAudit));
  SurvivesOnlyWhole(RoleReady{});
  SurvivesOnlyWhole(RoleFailed{});
  SurvivesOnlyWhole(Misbehaviour{});
  SurvivesOnlyWhole(LivenessQuestion{1});
  SurvivesOnlyWhole(LivenessAnswer{1});
  SurvivesOnlyWhole(ClockAdjust{.request = 1, .frequency = Ppm{-3.5}, .step = 0.5});
  SurvivesOnlyWhole(ClockState{});
  SurvivesOnlyWhole(ClockStart{});
  SurvivesOnlyWhole(ClockMirror{});
  LeapTable table{.expiry = 3991593600};
  assert_true(table.seconds.Push({3644697600, 36}) && table.seconds.Push({3692217600, 37}));
  SurvivesOnlyWhole(table);
  SurvivesOnlyWhole(LeapTable{});
  NetAddresses addresses{.more = true};
  for (uint8_t i = 0; i < decltype(addresses.addresses)::kCapacity; ++i)
    assert_true(addresses.addresses.Push({i, IpAddress{Family::kIpv6, {0xfe, 0x80, i}, 2}}));
  SurvivesOnlyWhole(addresses);
  NetProcesses processes;
  processes.roles[2] = {ProcessState::kRunning, MonoTime::FromNanoseconds(5), 1, 2,
                        Confinement{990, 2, true, 1U << 25}};
  SurvivesOnlyWhole(processes);
  ResolveName name;
  assert_true(name.name.Assign(AsBytes("ntp.example")));
  SurvivesOnlyWhole(name);
  SurvivesOnlyWhole(ResolveEnd{});
  SurvivesOnlyWhole(ResolveRequest{});
  ResolveAnswer answer;
  assert_true(answer.addresses.Push(IpAddress::V4(10, 0, 0, 1)));
  SurvivesOnlyWhole(answer);
  SurvivesOnlyWhole(ValidCookieIssue());
  SurvivesOnlyWhole(ValidServeBatch());
  SurvivesOnlyWhole(HostMaterial{});
  SignedValues values;
  while (!values.elder_leaps.full()) assert_true(values.elder_leaps.Push({}));
  assert_true(values.elder_leaps[1].Resize(kMaxModulus));
  SurvivesOnlyWhole(values);
  SurvivesOnlyWhole(KeysStart{.digest_name = [] {
    InlineText<16> text;
    (void)text.Assign(AsBytes("md5"));
    return text;
  }()});
  SurvivesOnlyWhole(KeysPassword{});
  SurvivesOnlyWhole(KeysFile{});
  SurvivesOnlyWhole(KeysTrusted{});
  SurvivesOnlyWhole(KeysEnd{});
  SurvivesOnlyWhole(KeysServe{});
  SurvivesOnlyWhole(KeysRollSeed{});
  SurvivesOnlyWhole(KeysHandOver{});
  SurvivesOnlyWhole(KeysInherited{.whole = true});
  SurvivesOnlyWhole(ValidHeritage());
  HeritageSigner signer{.until = MonoTime::FromSeconds(5)};
  assert_true(signer.key.Assign(AsBytes("key")) && signer.digest.Assign(AsBytes("SHA256")));
  SurvivesOnlyWhole(signer);
  SurvivesOnlyWhole(HeritageEnd{.messages = 7});
}

void RefusesNumbersThatAreNotFinite(void**) {
  ClockAdjust m{.step = 1.0};
  Encoded bytes;
  Encode(m, &bytes);
  // type 2, version 1, request 4, frequency absent 1, slew absent 1, step present 1, then the
  // number
  for (size_t i = 0; i < 8; ++i) bytes.span()[10 + i] = 0xff;  // a NaN
  ClockAdjust decoded;
  assert_false(Decode(bytes.span(), &decoded));
}

void RefusesEvenModulus(void**) {
  CookieIssue m = ValidCookieIssue();
  m.modulus.span()[255] = 0x80;
  assert_false(m.Valid());
}

void RefusesALeapTableThatIsNone(void**) {
  const auto valid = [](uint64_t expiry, std::initializer_list<LeapSecond> seconds) {
    LeapTable table{.expiry = expiry};
    for (const LeapSecond& second : seconds) assert_true(table.seconds.Push(second));
    bool all = table.Valid();
    for (const LeapSecond& second : seconds) all = all && second.Valid();
    return all;
  };
  assert_true(valid(1, {{86400, 10}, {172800, 11}, {259200, 10}}));
  assert_false(valid(1, {}));
  assert_false(valid(0, {{86400, 10}}));
  assert_false(valid(1, {{86400, 9}}));
  assert_false(valid(1, {{86401, 10}}));
  assert_false(valid(1, {{86400, 10}, {86400, 11}}));
  assert_false(valid(1, {{172800, 10}, {86400, 11}}));
  assert_false(valid(1, {{86400, 10}, {172800, 12}}));
  assert_false(valid(1, {{86400, 10}, {172800, 10}}));
  assert_false(valid(uint64_t{1} << 40, {{86400, 10}}));
  assert_false(valid(1, {{86400 * (uint64_t{1} << 40), 10}}));
}

void RefusesCountsOverTheBound(void**) {
  Encoded bytes;
  Encode(ValidServeBatch(), &bytes);
  // The count of jobs stands behind type, version, request and the template.
  const size_t at = 3 + 4 + 1 + 1 + 1 + 4 + 4 + 4 + 8 + 8 + 8;
  assert_int_equal(bytes.span()[at + 1], 20);
  bytes.span()[at + 1] = 21;
  ServeBatch decoded;
  assert_false(Decode(bytes.span(), &decoded));
}

void FieldsTravelWithOneRequest(void**) {
  ServeBatch one;
  CHECK(one.jobs.Push(ValidServeBatch().jobs[0]));
  Fill(&one.fields, kMaxFields, 0xcc);
  SurvivesOnlyWhole(one);
  ServeBatch several = ValidServeBatch();
  Fill(&several.fields, 4, 0xcc);
  assert_false(several.Valid());
}

void RefusesBooleansAndEnumsOutOfRange(void**) {
  Encoded bytes;
  Encode(Verdict{.request = 1, .code = VerdictCode::kBusy}, &bytes);
  bytes.span()[7] = static_cast<uint8_t>(VerdictCode::kLast) + 1;
  Verdict verdict;
  assert_false(Decode(bytes.span(), &verdict));
  Encode(KeysFile{}, &bytes);
  bytes.span()[bytes.size() - 1] = 2;
  KeysFile file;
  assert_false(Decode(bytes.span(), &file));
}

// Who sends them was taken over: there is no reference clock.
void RefusesStatisticsOfReferenceClocks(void**) {
  Encoded bytes;
  NetStatistics statistics{.file = StatisticsFile::kRaw};
  Encode(statistics, &bytes);
  assert_true(Decode(bytes.span(), &statistics));
  assert_int_equal(bytes.span()[3], static_cast<uint8_t>(StatisticsFile::kRaw));
  bytes.span()[3] = static_cast<uint8_t>(StatisticsFile::kClock);
  assert_false(Decode(bytes.span(), &statistics));
}

}  // namespace
}  // namespace ntpward::msg

int main() {
  using namespace ntpward::msg;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AHeritageIsWithinItsBounds),
      cmocka_unit_test(EveryMessageSurvivesOnlyWhole),
      cmocka_unit_test(RefusesNumbersThatAreNotFinite),
      cmocka_unit_test(RefusesEvenModulus),
      cmocka_unit_test(RefusesALeapTableThatIsNone),
      cmocka_unit_test(RefusesCountsOverTheBound),
      cmocka_unit_test(FieldsTravelWithOneRequest),
      cmocka_unit_test(RefusesBooleansAndEnumsOutOfRange),
      cmocka_unit_test(RefusesStatisticsOfReferenceClocks),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
