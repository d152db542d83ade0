// What the fuzz targets of Autokey's dances share: records of events, a key process that answers at
// once, and what must hold after each event.
#pragma once

#include <algorithm>
#include <variant>

#include "ntpd/autokey/client_dance.h"
#include "privsep/base/bytes.h"
#include "privsep/base/result.h"

namespace ntpward::fuzz {

// Carries out what a dance wants of the key process, by the `dancer`'s Run(), which may check more
// and calls this. `dancer` has the dance, its context(), the verdict on all that it asks, and the
// Challenge() that is drawn for it.
template <typename Dancer>
void RunJobs(Dancer* dancer, const autokey::DanceResult& result) {
  for (const autokey::ClientJob& job : result.jobs) {
    std::visit([](const auto& operation) { CHECK(operation.Valid()); }, job.operation);
    if (std::holds_alternative<msg::IdentityChallenge>(job.operation)) {
      dancer->Run(dancer->dance.OnValueAnswer(job.ticket, dancer->Challenge(), dancer->context()));
    } else if (job.ticket != 0) {
      dancer->Run(dancer->dance.OnVerdict(job.ticket, dancer->verdict, dancer->context()));
    }
  }
}

inline bool IsLit(uint32_t flags, uint32_t bits) { return (flags & bits) == bits; }

// Nothing is believed before what it rests on.
inline void CheckFlags(uint32_t flags) {
  using namespace autokey;
  CHECK(!IsLit(flags, kVerified) || IsLit(flags, kTrusted));
  CHECK(!IsLit(flags, kProven) || IsLit(flags, kVerified));
  CHECK(!IsLit(flags, kCookie) || IsLit(flags, kVerified));
}

// Policy, association identifier, then records of an event, a length and octets.
template <typename Dancer>
void DanceThrough(Bytes input) {
  Reader reader(input);
  const uint8_t policy = reader.U8();
  const uint16_t association = reader.U16();
  if (reader.failed() || association == 0) return;
  Dancer dancer(policy, association);
  while (reader.remaining() >= 3) {
    const uint8_t event = reader.U8();
    const uint16_t length = reader.U16();
    dancer.Event(event, reader.Take(std::min<size_t>(length, reader.remaining())));
    dancer.CheckOrder();
  }
}

}  // namespace ntpward::fuzz
