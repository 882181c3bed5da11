#include "base/wiped.h"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>

#if defined(__x86_64__) || defined(__aarch64__)

namespace issuer::vault {
namespace {

/// The vector registers that copies go through, 32 bytes for each register's number. Those that are not looked at: 0.
using Registers = std::array<unsigned char, 32 * 32>;

// clang-format off
#if defined(__x86_64__)
#define EACH(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13) DO(14) DO(15)
#define LOAD(number) "vmovdqu (%0), %%ymm" #number "\n\t"
#define STORE(number) "vmovdqu %%ymm" #number ", 32*" #number "(%0)\n\t"
#define NAME(number) "xmm" #number,
#define VECTOR_TARGET [[gnu::target("avx")]]
#else
#define EACH(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(16) DO(17) DO(18) DO(19) DO(20) DO(21) DO(22) \
	DO(23) DO(24) DO(25) DO(26) DO(27) DO(28) DO(29) DO(30) DO(31)
#define LOAD(number) "ldr q" #number ", [%0]\n\t"
#define STORE(number) "str q" #number ", [%0, #16*" #number "]\n\t"
#define NAME(number) "v" #number,
#define VECTOR_TARGET
#endif
// clang-format on

VECTOR_TARGET void loadAll(const unsigned char* secret)
{
	asm volatile(EACH(LOAD) : : "r"(secret) : EACH(NAME) "memory");
}

VECTOR_TARGET void storeAll(unsigned char* registers)
{
	asm volatile(EACH(STORE) : : "r"(registers) : "memory");
}

bool isClear(const Registers& registers)
{
	return std::all_of(registers.begin(), registers.end(), [](unsigned char byte) { return byte == 0; });
}

TEST(Wipe, LeavesNothingInMemoryNorInTheVectorRegistersThatCopiesGoThrough)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx") == 0) {
		GTEST_SKIP() << "this processor has no AVX, without which nothing is cleared";
	}
#endif
	std::array<unsigned char, 32> secret{};
	secret.fill(0xa5);
	Registers before{};
	Registers after{};
	loadAll(secret.data());
	storeAll(before.data());
	EXPECT_FALSE(isClear(before)) << "this test sees nothing";

	loadAll(secret.data());
	wipe(secret.data(), secret.size());
	storeAll(after.data());
	EXPECT_TRUE(isClear(after));
	EXPECT_EQ(secret, decltype(secret){});
}

} // namespace
} // namespace issuer::vault

#endif
