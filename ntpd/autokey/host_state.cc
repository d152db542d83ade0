#include "ntpd/autokey/host_state.h"

#include <cmath>

#include "privsep/base/tai_offset.h"

namespace ntpward::autokey {
namespace {

constexpr double kAnswerSeconds = 16;

}  // namespace

bool LeapValues::IsTable() const {
  return tai >= kLeastTaiOffset && tai <= kMostTaiOffset && epoch.value != 0 &&
         StartsMonth(Unfold(epoch)) && expiry.value != 0;
}

bool LeapValues::IsAhead(NtpSeconds now) const { return Earlier(now, epoch); }

void HostState::Disable() {
  enabled_ = false;
  material_ = {};
  certificate_ = {};
  modulus_size_ = 0;
}

Status HostState::SetMaterial(const msg::HostMaterial& material) {
  signed_ = {};
  signed_leap_ = {};
  asked_leap_.reset();
  Disable();
  if (!material.crypto_enabled) return {};

  auto certificate = ParseCertificate(material.certificate.span(), material.certificate_filestamp);
  if (!certificate)
    return Fail("the host's own certificate: " + std::string(OutcomeText(certificate.error())));
  if (certificate->subject != material.subject.text())
    return Fail("the host's own certificate is for another name than the key process says");
  if (!certificate->self_signed()) return Fail("the host's own certificate is not self-signed");
  const auto key = ParseRsaPublicKey(material.host_public_key.span());
  if (!key) return Fail("the host's public key is no RSA key of 256 to 4096 bits");

  certificate_ = std::move(certificate).value();
  modulus_size_ = key->modulus.size();
  material_ = material;
  enabled_ = true;
  return {};
}

std::optional<msg::SignatureUpdate> HostState::DueUpdate(MonoTime mono, NtpSeconds now,
                                                         bool synchronised) {
  if (!enabled_ || !synchronised || now.value == 0) return std::nullopt;
  const bool waiting = asked_leap_.has_value() && mono - asked_at_ < kAnswerSeconds;
  const bool current = signed_.timestamp.value != 0 && signed_leap_ == leap_ &&
                       signed_revision_ == revision_ && !Earlier(now, signed_now_) &&
                       mono - signed_at_ < std::ldexp(1.0, revoke_log2_);
  if (waiting || current) return std::nullopt;

  asked_leap_ = leap_;
  asked_revision_ = revision_;
  asked_now_ = now;
  asked_at_ = mono;
  msg::SignatureUpdate update;
  update.now = now;
  update.tai = leap_.tai;
  update.leap_epoch = leap_.epoch.value;
  update.leap_expiry = leap_.expiry.value;
  return update;
}

void HostState::OnSignedValues(const msg::SignedValues& values) {
  // Without a time nothing was signed: it is asked for again when the wait is over.
  if (!asked_leap_ || values.timestamp.value == 0) return;
  signed_ = values;
  signed_leap_ = *asked_leap_;
  signed_at_ = asked_at_;
  signed_revision_ = asked_revision_;
  signed_now_ = asked_now_;
  asked_leap_.reset();
}

Bytes HostState::leap_signature(uint8_t elder) const {
  if (elder == 0) return signed_.leap.span();
  if (elder > signed_.elder_leaps.size()) return {};
  return signed_.elder_leaps[elder - size_t{1}].span();
}

uint32_t HostState::status_word() const {
  if (!enabled_) return 0;
  const uint32_t loaded = material_.status_word & (kHostBits | kSchemeMask) & ~uint32_t{kTai};
  return signed_leap_.IsTable() ? loaded | kTai : loaded;
}

}  // namespace ntpward::autokey
