#include "keys/change_request.h"

#include <algorithm>

namespace ntpward::keys {
namespace {

constexpr uint8_t kModeControl = 6;
constexpr size_t kBlock = 8;  // what comes before a MAC is padded to this

bool IsChange(uint8_t operation) {
  for (const ChangeOperation known : {ChangeOperation::kWriteVariables, ChangeOperation::kConfigure,
                                      ChangeOperation::kSaveConfig})
    if (operation == static_cast<uint8_t>(known)) return true;
  return false;
}

}  // namespace

std::optional<ChangeRequest> ParseChangeRequest(Bytes covered) {
  Reader reader(covered);
  const uint8_t first = reader.U8();
  const uint8_t version = (first >> 3) & 7;
  const uint8_t operation = reader.U8();  // without the bits of a response
  reader.Skip(4);                         // sequence, and a status that requests do not have
  const uint16_t association = reader.U16();
  const uint16_t offset = reader.U16();
  const uint16_t count = reader.U16();
  const Bytes data = reader.Take(count);
  const Bytes padding = reader.Rest();
  const bool padded = covered.size() % kBlock == 0 && padding.size() < kBlock &&
                      std::all_of(padding.begin(), padding.end(), [](uint8_t o) { return o == 0; });
  if (!reader.Finish() || !padded || (first & 7) != kModeControl || version < 1 || version > 4 ||
      !IsChange(operation) || association != 0 || offset != 0)
    return std::nullopt;
  const NoncedText split = SplitNonce(AsText(data));
  return ChangeRequest{static_cast<ChangeOperation>(operation), split.text, split.nonce};
}

}  // namespace ntpward::keys
