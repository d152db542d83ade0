// Answers of a server under the key that it was asked under.
#pragma once

#include <optional>
#include <vector>

#include "ntpd/wire/control_message.h"
#include "ntpq/query.h"

namespace ntpward::ntpq::test {

// What the MAC of a request was made of: one of the secrets that tests type in; none for others.
// What it returns lasts for ever.
std::optional<Credentials> CredentialsOf(const wire::ControlRequest& request);

// The same datagram, padded and with its MAC, as servers send it.
std::vector<uint8_t> Sealed(std::vector<uint8_t> datagram, const Credentials& credentials);

}  // namespace ntpward::ntpq::test
