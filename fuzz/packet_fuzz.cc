// links: wire
// caged
//
// What ParsePacket delimits is every octet of the datagram, each in one place, in order.
#include "ntpd/wire/extension_field.h"
#include "ntpd/wire/packet.h"

using namespace ntpward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto packet = wire::ParsePacket(Bytes(data, size));
  if (!packet.ok()) return 0;
  std::array<uint8_t, wire::kMaxPacketSize> buffer;
  Writer writer(buffer);
  wire::EncodeHeader(writer, packet->header);
  for (const wire::Extension& extension : packet->extensions()) {
    writer.Put(extension.field);
    auto field = wire::ParseAutokeyField(extension.field);
    if (!field.ok()) continue;
    std::array<uint8_t, wire::kMaxExtensionArea> field_buffer;
    Writer field_writer(field_buffer);
    wire::EncodeAutokeyField(field_writer, *field);
    CHECK(field_writer.written().size() == extension.field.size());
  }
  if (packet->mac) wire::EncodeMac(writer, *packet->mac);
  const Bytes out = writer.written();
  CHECK(std::equal(out.begin(), out.end(), data, data + size));
  return 0;
}
