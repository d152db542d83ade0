#include "ntpd/net/system_counters.h"

#include <sys/timex.h>

#include <algorithm>

#include "ntpd/net/udp.h"

namespace ntpward::net {
namespace {

constexpr size_t kKibibyte = 1024;

// As ntpd 4.2.8 shows it: bit 1 is a rule with `limited`, which needs the list.
control::MruView MruOf(const core::RateLimiter& recent, const core::AccessList& access) {
  control::MruView view;
  view.enabled = access.Has(core::Access::kLimited) ? 3 : 1;
  view.depth = static_cast<uint32_t>(recent.size());
  // Rows are only ever taken over by others, and only once all are used.
  view.deepest = view.depth;
  view.max_depth = view.min_depth = static_cast<uint32_t>(recent.capacity());
  view.memory_kb = recent.size() * core::RateLimiter::RowSize() / kKibibyte;
  view.max_memory_kb = recent.capacity() * core::RateLimiter::RowSize() / kKibibyte;
  return view;
}

// Datagrams are read into buffers that are free again before the next wake-up.
control::IoCounters IoOf(const IoCounters& io) {
  control::IoCounters view;
  view.buffers = view.free_buffers = ReceiveBatch::kSize;
  view.dropped = io.dropped;
  view.ignored = io.ignored;
  view.received = io.datagrams.received;
  view.sent = io.datagrams.sent;
  view.send_failed = io.datagrams.refused;
  view.wakeups = io.wakeups;
  view.good_wakeups = io.good_wakeups;
  return view;
}

// Autokey's session keys are to be added. No key is made ready before it is needed, so that none is
// free, and each is looked up anew: what ntpd 4.2.8 counts as its cache's misses is all of them.
control::KeyCounters KeysOf(const KeyUse& use, const Node::KeyCounts& counts) {
  control::KeyCounters view;
  view.stored = counts.symmetric.value_or(0);
  view.expired = counts.expired;
  view.lookups = view.uncached = use.made + use.checked + use.not_found;
  view.not_found = use.not_found;
  view.encryptions = use.made;
  view.decryptions = use.checked;
  return view;
}

// The kernel's clock as ntpd-clock sets it: base frequency and a slew, never the kernel's own loop.
// Without the right to set it, the virtual clock's figures stand for it.
control::KernelView KernelOf(const Node& node, MonoTime now) {
  const core::SystemState& system = node.engine->system();
  const msg::ClockState& clock = node.time.state();
  control::KernelView view;
  view.offset_s = clock.slew - msg::SlewDone(clock, now);
  view.frequency = clock.frequency;
  view.max_error_s = std::min(16.0, system.root_delay / 2 + system.RootDispersionAt(now));
  view.estimated_error_s = system.jitter;
  const uint8_t leap = node.steering.announced_leap();
  view.status = (node.synchronised() ? 0 : STA_UNSYNC) | STA_NANO |
                (leap == 1   ? STA_INS
                 : leap == 2 ? STA_DEL
                             : 0);
  view.precision_s = 1e-9;
  view.tolerance = Ppm{500};
  return view;
}

}  // namespace

void FillSystemCounters(const Node& node, const core::RateLimiter* recent,
                        control::SystemView* view) {
  const MonoTime now = Timebase::Mono();
  view->packets = node.packets;
  if (recent != nullptr) view->mru = MruOf(*recent, node.access);
  view->io = IoOf(node.io);
  view->timers.transmits = node.timer.polls;
  view->timers.overruns = node.timer.overruns;
  view->keys = KeysOf(node.keys.use(), node.key_counts);
  view->kernel = KernelOf(node, now);
  const auto seconds_since = [now](MonoTime then) {
    return static_cast<uint64_t>(std::max(0.0, now - then));
  };
  view->uptime_s = seconds_since(node.started);
  view->counters_since_reset_s = seconds_since(node.since.packets);
  view->io.since_reset_s = seconds_since(node.since.io);
  view->timers.since_reset_s = seconds_since(node.since.timer);
  view->keys.since_reset_s = seconds_since(node.since.keys);
}

void ResetCounters(const control::ResetGroups& groups, Node* node) {
  const MonoTime now = Timebase::Mono();
  if (groups.system) node->packets = {}, node->since.packets = now;
  if (groups.io) node->io = {}, node->since.io = now;
  if (groups.timer) node->timer = {}, node->since.timer = now;
  if (groups.keys) node->keys.ResetUse(), node->since.keys = now;
  if (!groups.peers || node->engine == nullptr) return;
  for (const AssocId id : node->engine->Ids())
    if (core::Association* association = node->engine->Find(id)) association->ResetCounters();
}

}  // namespace ntpward::net
