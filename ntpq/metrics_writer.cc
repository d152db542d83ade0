#include "ntpq/metrics_writer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "ntpq/text.h"
#include "privsep/base/result.h"

namespace ntpward::ntpq {
namespace {

constexpr size_t kMaxLabel = 128;

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string LabelText(const std::string& value) {
  return Escaped(Cut(Printable(Cut(value, kMaxLabel)), kMaxLabel));
}

std::string NumberText(double value) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  CHECK(end.ec == std::errc());
  return std::string(text.data(), end.ptr);
}

std::string_view TypeName(MetricType type, MetricsFormat format) {
  switch (type) {
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kCounter:
      return "counter";
    case MetricType::kInfo:
      break;
  }
  return format == MetricsFormat::kOpenMetrics ? "info" : "gauge";
}

}  // namespace

void MetricsWriter::Begin(const MetricFamily& family) {
  family_ = family;
  has_head_ = false;
}

void MetricsWriter::Sample(std::span<const MetricLabel> labels, double value) {
  if (!std::isfinite(value) || (family_.type == MetricType::kCounter && value < 0)) return;
  if (!has_head_) WriteHead();
  text_ += SampleName();
  char separator = '{';
  for (const MetricLabel& label : labels) {
    text_ += separator;
    text_ += label.name;
    text_ += "=\"" + LabelText(label.value) + "\"";
    separator = ',';
  }
  if (!labels.empty()) text_ += '}';
  text_ += " " + NumberText(value) + "\n";
}

std::string MetricsWriter::Finish() {
  if (format_ == MetricsFormat::kOpenMetrics) text_ += "# EOF\n";
  return std::move(text_);
}

std::string MetricsWriter::SampleName() const {
  std::string name(family_.name);
  if (family_.type == MetricType::kCounter) name += "_total";
  if (family_.type == MetricType::kInfo) name += "_info";
  return name;
}

void MetricsWriter::WriteHead() {
  has_head_ = true;
  // Of the older format the name in these lines is that of the samples.
  const bool open = format_ == MetricsFormat::kOpenMetrics;
  const std::string name = open ? std::string(family_.name) : SampleName();
  text_ += "# TYPE " + name + " ";
  text_ += TypeName(family_.type, format_);
  text_ += '\n';
  if (open && !family_.unit.empty()) {
    text_ += "# UNIT " + name + " ";
    text_ += family_.unit;
    text_ += '\n';
  }
  text_ += "# HELP " + name + " " + Escaped(family_.help) + "\n";
}

}  // namespace ntpward::ntpq
