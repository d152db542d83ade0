// Draws new keys.
#pragma once

#include <string>

#include "keys/iff_key.h"
#include "keys/openssl.h"

namespace ntpward::keys {

// An RSA key with exponent 65537. `bits` is 512..4096.
Result<PkeyPtr> MakeRsaKey(int bits);

// A DSA key with parameters of its own. `bits` is 512..3072.
Result<PkeyPtr> MakeDsaKey(int bits);

// New group parameters and a secret. Less than 512 bits count as 512, as in ntp-keygen 4.2.8.
Result<IffKey> MakeIffKey(int bits);

// The form in which an IFF key is kept: p, q, g, public = v, private = b.
PkeyPtr IffAsDsa(const IffKey& key);

// The lines of a symmetric keys file: ten MD5 secrets of 20 printable characters without '#', ten
// SHA1 of 40 hexadecimal digits, ten AES128CMAC of 32.
LockedBytes MakeSymmetricKeys();

// The line of a farm file (farm_seeds.h): FarmSeeds::kSecretOctets random octets as hexadecimal
// digits.
LockedBytes MakeFarmSecret();

// The lines of ntpd 4.1's: 16 of type M with 16 printable characters without '#'.
LockedBytes MakeOlderSymmetricKeys();

// A prime of `bits` bits and a generator of a large subgroup, for a Diffie-Hellman agreement.
struct DiffieHellman {
  BigPtr prime;
  BigPtr generator;
};
Result<DiffieHellman> MakeDiffieHellman(int bits);

}  // namespace ntpward::keys
