#include "tests/keys/served_client.h"

#include "keys/rsa.h"
#include "tests/support/vectors.h"

namespace ntpward::keys::test {

using ntpward::test::ToHex;

const AddressPair kPath{IpAddress::V4(10, 77, 0, 2), IpAddress::V4(10, 77, 0, 1)};

std::vector<uint8_t> ClientHeader(uint8_t first) {
  std::vector<uint8_t> header(48, 0);
  header[0] = first;
  header[2] = 6;
  for (size_t i = 0; i < 8; ++i) header[40 + i] = static_cast<uint8_t>(0x11 * (i + 1));
  return header;
}

msg::ServeBatch Batch(uint32_t key, Bytes covered, Bytes digest) {
  msg::ServeBatch batch;
  batch.request = 7;
  batch.reply.leap = 0;
  batch.reply.stratum = 2;
  batch.reply.precision = -20;
  batch.reply.root_delay = 0x100;
  batch.reply.root_dispersion = 0x200;
  batch.reply.refid = 0x0a000001;
  batch.reply.reference = NtpTimestamp::FromRaw(0x1234567800000000);
  msg::ServeJob job;
  job.job = 5;
  job.path = kPath;
  job.key = {key};
  Set(&job.covered, covered);
  Set(&job.digest, digest);
  job.receive = NtpTimestamp::FromRaw(0x2222222233333333);
  CHECK(batch.jobs.Push(job));
  return batch;
}

msg::ServeResult Serve(Harness& h, const msg::ServeBatch& batch) {
  h.FromNet(batch);
  const auto& done = h.out.serve_done.back();
  CHECK(done.request == 7 && done.results.size() == 1 && done.results[0].job == 5);
  return done.results[0];
}

std::vector<uint8_t> ExpectedReply(const msg::ServeResult& result, uint8_t first) {
  std::vector<uint8_t> reply(48);
  Writer w(reply);
  w.U8(first), w.U8(2), w.U8(6), w.U8(0xec);
  w.U32(0x100), w.U32(0x200), w.U32(0x0a000001);
  w.U64(0x1234567800000000), w.U64(0x1122334455667788), w.U64(0x2222222233333333);
  w.U64(result.transmit.raw());
  CHECK(w.Finish());
  return reply;
}

ServedClient::ServedClient() : hasher_(std::move(SessionKeyHasher::Create()).value()) {
  EVP_PKEY* key = EVP_RSA_gen(512);
  CHECK(key != nullptr);
  key_.reset(key);
}

void ServedClient::FetchCookie(Harness& h) {
  BigPtr n = Number(), e = Number();
  BIGNUM *n_raw = n.get(), *e_raw = e.get();
  CHECK(EVP_PKEY_get_bn_param(key_.get(), "n", &n_raw) == 1);
  CHECK(EVP_PKEY_get_bn_param(key_.get(), "e", &e_raw) == 1);
  msg::CookieIssue issue;
  issue.now = {h.time.system.seconds()};
  issue.path = kPath;
  Set(&issue.modulus, NumberOctets(n.get()));
  issue.exponent = static_cast<uint32_t>(BN_get_word(e.get()));
  h.Ask(issue);
  CHECK(h.LastAnswer().code == msg::VerdictCode::kGood);
  const auto plain = OaepDecrypt(key_.get(), h.LastAnswer().value.span(), 4);
  CHECK(plain.has_value());
  cookie = Reader(*plain).U32();
}

std::vector<uint8_t> ServedClient::Mac(const AddressPair& path, Bytes covered) {
  const auto digest = hasher_.Mac(hasher_.Derive(path, key_id, cookie), covered);
  return {digest.span().begin(), digest.span().end()};
}

bool ServedClient::IsServed(Harness& h) {
  const auto request = ClientHeader();
  const auto result = Serve(h, Batch(key_id.value, request, Mac(kPath, request)));
  if (result.outcome != msg::ServeOutcome::kSealed) return false;
  const auto reply = ExpectedReply(result);
  return ToHex(Bytes(result.mac.span()).subspan(4)) == ToHex(Mac(kPath.Reversed(), reply));
}

}  // namespace ntpward::keys::test
