// Metrics as text, for Prometheus: OpenMetrics 1.0, or the older format that node_exporter's
// textfile collector reads.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ntpward::ntpq {

// The two differ in what the name of a counter or an info is, in `# UNIT` and in `# EOF`.
enum class MetricsFormat : uint8_t { kOpenMetrics, kTextfile };

enum class MetricType : uint8_t {
  kGauge,
  kCounter,  // its samples end in _total
  kInfo,     // its samples end in _info and are 1; the labels say it
};

struct MetricFamily {
  std::string_view name;  // without _total and _info; ends in the unit, if there is one
  MetricType type = MetricType::kGauge;
  std::string_view unit;  // "seconds", "ratio", "bytes", or none
  std::string_view help;
};

struct MetricLabel {
  std::string_view name;
  std::string value;  // any octets, at any length: see Sample
};

class MetricsWriter {
 public:
  explicit MetricsWriter(MetricsFormat format) : format_(format) {}

  // Samples that follow are of this family, each of which comes once. One without samples is left
  // out.
  void Begin(const MetricFamily& family);
  // `value` is finite, and not negative for a counter; else there is no sample. Values of labels
  // are made printable, and cut to 128 characters.
  void Sample(std::span<const MetricLabel> labels, double value);
  // All of it.
  std::string Finish();

 private:
  std::string SampleName() const;
  void WriteHead();

  MetricsFormat format_;
  MetricFamily family_;
  bool has_head_ = false;
  std::string text_;
};

}  // namespace ntpward::ntpq
