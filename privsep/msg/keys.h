// net <-> keys and supervisor <-> keys: what may be asked of the process that holds every secret.
//
// No message of these channels can carry a private key, a cookie or a symmetric key out of
// ntpd-keys, and none carries X.509, extension fields or control messages from the network into it:
// ntpd-net, which has nothing to steal, parses those and passes on the fixed-shape values of these
// messages.
//
// Each request of net has an id that the answer repeats; answers may come in another order. keys
// serves MACs (ServeBatch, SealRequest, CheckMac) before private-key operations, which are rate
// limited: an operation over the limit is answered kBusy.
//
// `now` is the served time in NTP seconds, 0 while not synchronised (RFC 5906: timestamps of an
// unsynchronised host are 0 and its values are unsigned). With a real clock keys uses its own
// reading of the system's clock wherever a non-zero `now` would go, and net's word counts only as
// "synchronised or not"; with a virtual clock it must believe net.
//
// The messages are in the headers below, by what they are about; key lists and commands of ntpq are
// in key_list.h and command.h, what a key process leaves to its successor in heritage.h.
#pragma once

#include "privsep/msg/autokey_client.h"
#include "privsep/msg/autokey_server.h"
#include "privsep/msg/host_material.h"
#include "privsep/msg/key_answers.h"
#include "privsep/msg/keys_start.h"
#include "privsep/msg/macs.h"
