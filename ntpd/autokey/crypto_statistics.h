// The lines of cryptostats, in the words of ntpd 4.2.6 and 4.2.8, without day, second and address.
//
// Names in them come from certificates that ParseCertificate accepted, so they are printable.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ntpd/autokey/certificate.h"
#include "ntpd/autokey/host_state.h"
#include "privsep/base/types.h"

namespace ntpward::autokey {

// "setup 0x80021 host server md5WithRSAEncryption"
std::string SetupLine(uint32_t status_word, std::string_view host);
// "assoc 43118 43118 host server md5WithRSAEncryption"
std::string AssociationLine(AssocId own, uint32_t server_word, std::string_view server);
// "cert server server 0x5 md5WithRSAEncryption (8) fs 4004293698"; SIGN's begins with "sign".
std::string CertificateStatistic(std::string_view what, const Certificate& certificate);
// "iff server fs 4004293698"
std::string IdentityLine(std::string_view scheme, std::string_view root, NtpSeconds filestamp);
// "cook ts 4004293712 fs 4004293705": without the cookie, which this process never sees.
std::string CookieLine(NtpSeconds timestamp, NtpSeconds filestamp);
// "auto seq 99 key 5684ea51 ts 4004293707 fs 4004293706"
std::string AutokeyLine(uint32_t sequence, KeyId key, NtpSeconds timestamp, NtpSeconds filestamp);
// "leap TAI offset 37 at 3692217600 expire 4019845448 fs 4004293698"
std::string LeapLine(const LeapValues& values, NtpSeconds filestamp);
// "signature update ts 4004293760"
std::string UpdateLine(NtpSeconds timestamp);

}  // namespace ntpward::autokey
