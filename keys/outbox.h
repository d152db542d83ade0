// Every message that can leave the key process, one function each: it tells nobody anything else.
#pragma once

#include "privsep/msg/command.h"
#include "privsep/msg/key_list.h"
#include "privsep/msg/keys.h"
#include "privsep/msg/role.h"
#include "privsep/msg/runtime_line.h"

namespace ntpward::keys {

// A full pipe drops the message: nobody waits for anybody.
class Outbox {
 public:
  virtual ~Outbox() = default;

  // To net.
  virtual void Send(const msg::ServeDone& message) = 0;
  virtual void Send(const msg::Sealed& message) = 0;
  virtual void Send(const msg::Verdict& message) = 0;
  virtual void Send(const msg::HostMaterial& message) = 0;
  virtual void Send(const msg::SignedValues& message) = 0;
  virtual void Send(const msg::KeyCount& message) = 0;
  virtual void Send(const msg::ValueAnswer& message) = 0;
  virtual void Send(const msg::KeyListTaken& message) = 0;
  virtual void Send(const msg::CommandNonce& message) = 0;
  virtual void Send(const msg::CommandDone& message) = 0;

  // To the supervisor.
  virtual void Send(const msg::LogLine& message) = 0;
  virtual void Send(const msg::RoleReady& message) = 0;
  virtual void Send(const msg::RoleFailed& message) = 0;
  virtual void Send(const msg::Misbehaviour& message) = 0;
  virtual void Send(const msg::KeysInherited& message) = 0;
  // False when the pipe had no room for it.
  [[nodiscard]] virtual bool Send(const msg::RuntimeTrust& message) = 0;
  [[nodiscard]] virtual bool Send(const msg::RuntimeLine& message) = 0;
};

}  // namespace ntpward::keys
