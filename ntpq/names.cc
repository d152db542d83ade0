#include "ntpq/names.h"

#include <array>

namespace ntpward::ntpq {
namespace {

// By driver number; drivers without a name are shown by number.
constexpr std::array<std::string_view, 47> kDrivers = {"UNKNOWN",    "LOCAL",
                                                       "GPS_TRAK",   "WWV_PST",
                                                       "SPECTRACOM", "TRUETIME",
                                                       "IRIG_AUDIO", "CHU_AUDIO",
                                                       "GENERIC",    "GPS_MX4200",
                                                       "GPS_AS2201", "GPS_ARBITER",
                                                       "IRIG_TPRO",  "ATOM_LEITCH",
                                                       "MSF_EES",    "",
                                                       "GPS_BANC",   "GPS_DATUM",
                                                       "ACTS_MODEM", "WWV_HEATH",
                                                       "GPS_NMEA",   "GPS_VME",
                                                       "PPS",        "",
                                                       "",           "",
                                                       "GPS_HP",     "MSF_ARCRON",
                                                       "SHM",        "GPS_PALISADE",
                                                       "GPS_ONCORE", "GPS_JUPITER",
                                                       "CHRONOLOG",  "DUMBCLOCK",
                                                       "ULINK_M320", "PCF",
                                                       "WWV_AUDIO",  "GPS_FG",
                                                       "HOPF_S",     "HOPF_P",
                                                       "JJY",        "TT_IRIG",
                                                       "GPS_ZYFER",  "GPS_RIPENCC",
                                                       "NEOCLK4X",   "PCI_TSYNC",
                                                       "GPSD_JSON"};

}  // namespace

std::string RefclockName(const IpAddress& address) {
  const size_t driver = address.octets[2];
  const std::string unit = std::to_string(address.octets[3]);
  if (driver < kDrivers.size() && !kDrivers[driver].empty())
    return std::string(kDrivers[driver]) + "(" + unit + ")";
  return "REFCLK(" + std::to_string(driver) + "," + unit + ")";
}

}  // namespace ntpward::ntpq
