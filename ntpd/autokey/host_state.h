// This host as an Autokey party: what of its key material is public, and when that is signed anew.
//
// The values come from the key process; nothing here is secret. Both sides of the protocol, client
// and server, read it. Before the first synchronisation the values are unsigned and their timestamp
// is 0, which tells every receiver not to believe them (RFC 5906 section 10).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ntpd/autokey/certificate.h"
#include "ntpd/autokey/status_bits.h"
#include "privsep/msg/keys.h"

namespace ntpward::autokey {

// What a LEAP response carries. All zero: no table.
struct LeapValues {
  uint32_t tai = 0;   // TAI - UTC after `epoch`, seconds
  NtpSeconds epoch;   // of the latest leap second in the table
  NtpSeconds expiry;  // of the table

  // A real table: an offset that can be true, an epoch where a leap second can be, and an expiry.
  bool IsTable() const;
  // Its leap second is still to come: ntpd 4.2.6 tells the latest entry of its file.
  bool IsAhead(NtpSeconds now) const;
  // TAI - UTC at `now`, as far as this table tells. No second was ever left out.
  uint32_t OffsetAt(NtpSeconds now) const { return IsAhead(now) ? tai - 1 : tai; }
  friend bool operator==(const LeapValues&, const LeapValues&) = default;
};

class HostState {
 public:
  // Signatures are renewed every 2^revoke_log2 s (`revoke`; 17 is 36.4 h).
  void SetRevoke(uint8_t revoke_log2) { revoke_log2_ = revoke_log2; }

  // New key material: at start, after a reload, when the key process came back. Voids all
  // signatures. Fails, with Autokey off, when the certificate or the public key cannot be read.
  Status SetMaterial(const msg::HostMaterial& material);
  // Values to be offered to clients, from our own leap file or from a server; all zero when the
  // table has gone.
  void SetLeap(const LeapValues& values) { leap_ = values; }

  // Certificates came or went. Clients compare a certificate's dates with our timestamp, so one
  // that is younger than the last update would look as if it came from the future.
  void OnCertificates(uint32_t revision) { revision_ = revision; }

  // The next signature update, when one is due: at the first synchronisation, when leap values or
  // certificates changed, every 2^revoke s, when our clock was set back to before the last one, and
  // again 16 s after one that was not answered. `now` is the served time; the caller fills in
  // `request` and sends it.
  std::optional<msg::SignatureUpdate> DueUpdate(MonoTime mono, NtpSeconds now, bool synchronised);
  // The answer. Ignored when no update is outstanding.
  void OnSignedValues(const msg::SignedValues& values);

  bool enabled() const { return enabled_; }
  // Our Autokey name; empty when Autokey is off.
  std::string_view subject() const { return material_.subject.text(); }
  const Certificate& certificate() const { return certificate_; }
  // Scheme PC: the certificate and its key are the group's, and prove every host that has them.
  bool is_private() const { return enabled_ && certificate_.private_use; }
  // ENAB, identity bits and scheme as loaded, and the TAI bit once a verified table was signed.
  uint32_t status_word() const;
  // When the values were last signed; 0 before. The reference's "hostval.ts".
  NtpSeconds update_time() const { return signed_.timestamp; }
  const LeapValues& leap() const { return leap_; }
  // The values that `leap_signature()` covers: all zero before the first update.
  const LeapValues& signed_leap() const { return signed_leap_; }

  Bytes public_key() const { return material_.host_public_key.span(); }
  // Octets of the host key's modulus: what a cookie's ciphertext must have.
  size_t modulus_size() const { return modulus_size_; }
  NtpSeconds host_key_filestamp() const { return material_.host_key_filestamp; }
  Bytes public_key_signature() const { return signed_.host_public_key.span(); }
  Bytes certificate_signature() const { return signed_.certificate.span(); }
  // By the key of that place before ours (KeyListMake::elder; 0 is ours). Empty before the first
  // update, and when the key process has not got that key.
  Bytes leap_signature(uint8_t elder = 0) const;
  const InlineVector<msg::GroupParameters, msg::kMaxGroups>& groups() const {
    return material_.groups;
  }
  std::string_view digest_name() const { return material_.digest_name.text(); }

 private:
  void Disable();

  uint8_t revoke_log2_ = 17;
  bool enabled_ = false;
  msg::HostMaterial material_;
  Certificate certificate_;
  size_t modulus_size_ = 0;
  LeapValues leap_;
  LeapValues signed_leap_;
  msg::SignedValues signed_;
  MonoTime signed_at_;
  uint32_t revision_ = 0;         // of the certificates that we hold
  uint32_t signed_revision_ = 0;  // ... at the last update
  NtpSeconds signed_now_;         // the served time when that was asked for
  // An update on its way, with what it will have signed.
  std::optional<LeapValues> asked_leap_;
  uint32_t asked_revision_ = 0;
  NtpSeconds asked_now_;
  MonoTime asked_at_;
};

}  // namespace ntpward::autokey
