// What READ_MRU answers: the next rows of the list of recent clients.
#pragma once

#include <string_view>

#include "ntpd/control/mru_request.h"
#include "ntpd/control/recent_clients.h"
#include "ntpd/wire/control_message.h"
#include "ntpd/wire/variable_list.h"

namespace ntpward::control {

// So many rows are looked at for one answer: some 0.3 ms, so that what the rate limiter lets one
// reader ask with a filter that nothing passes is below a sixth of a processor.
inline constexpr size_t kMruRowsPerAnswer = 500;

// Rows oldest first, numbered from 0, as ntpd 4.2.8 sends them: `nonce` for the next request, `now`
// behind the newest row. Where kMruRowsPerAnswer ends the answer, perhaps without a row, the nonce
// says where (MruPlaceDigits). Fails with kUnknownVariable when the list no longer has any row of
// request.positions as it is there.
Result<wire::VariableListWriter, wire::ControlError> MruAnswer(const MruRequest& request,
                                                               const RecentClients& clients,
                                                               std::string_view nonce,
                                                               NtpTimestamp now);

}  // namespace ntpward::control
