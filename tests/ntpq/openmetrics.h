// Strict readers of metrics: OpenMetrics 1.0 (its ABNF and what its text adds), and the text format
// 0.0.4 as node_exporter's textfile collector wants it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ntpward::ntpq::test {

struct Sample {
  std::string name;
  std::map<std::string, std::string> labels;
  double value = 0;
};

struct Exposition {
  std::string wrong;  // empty, or the first thing that is wrong, and the line
  std::vector<Sample> samples;

  // The only sample of that name and with these labels among its own.
  std::optional<double> Value(const std::string& name,
                              const std::map<std::string, std::string>& labels = {}) const;
};

Exposition ReadOpenMetrics(std::string_view text);
Exposition ReadTextfile(std::string_view text);

}  // namespace ntpward::ntpq::test
