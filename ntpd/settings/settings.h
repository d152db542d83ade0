// What ntpd-net does for the time being: everything that a configuration tells it, as one value.
#pragma once

#include <vector>

#include "privsep/msg/control.h"

namespace ntpward::settings {

struct Settings {
  msg::NetStart start;
  std::vector<msg::NetAssociation> associations;  // one a line, in the order of the lines
  std::vector<msg::NetRestriction> restrictions;  // the same; those of one target add up
};

}  // namespace ntpward::settings
