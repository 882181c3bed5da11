#include "base/wiped.h"

#include <string.h>

namespace issuer::vault {

namespace {

#if defined(__x86_64__)
// clang-format off
#define LOW_REGISTERS "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", \
	"xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"
#define HIGH_REGISTERS "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", \
	"xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31"
#define CLEAR(number) "vpxorq %%xmm" #number ", %%xmm" #number ", %%xmm" #number "\n\t"
// clang-format on

/// Zeroes xmm/ymm/zmm 0 to 15.
[[gnu::target("avx")]] void clearLowRegisters() noexcept
{
	asm volatile("vzeroall" : : : LOW_REGISTERS);
}

/// Zeroes xmm/ymm/zmm 16 to 31: an instruction with a prefix of AVX-512 clears the bits beyond its operands.
[[gnu::target("avx512vl")]] void clearHighRegisters() noexcept
{
	asm volatile(CLEAR(16) CLEAR(17) CLEAR(18) CLEAR(19) CLEAR(20) CLEAR(21) CLEAR(22) CLEAR(23) CLEAR(24) CLEAR(25)
					 CLEAR(26) CLEAR(27) CLEAR(28) CLEAR(29) CLEAR(30) CLEAR(31)
				 :
				 :
				 : HIGH_REGISTERS);
}
#endif

#if defined(__aarch64__)
// clang-format off
#define VECTOR_REGISTERS "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v16", "v17", "v18", "v19", "v20", "v21", \
	"v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31"
#define CLEAR(number) "movi v" #number ".16b, #0\n\t"
// clang-format on
#endif

} // namespace

void clearVectorRegisters() noexcept
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx") != 0) {
		clearLowRegisters();
	}
	if (__builtin_cpu_supports("avx512vl") != 0) {
		clearHighRegisters();
	}
#elif defined(__aarch64__)
	// v8 to v15 are left out: the compiler would save their callers' values on the stack first.
	asm volatile(CLEAR(0) CLEAR(1) CLEAR(2) CLEAR(3) CLEAR(4) CLEAR(5) CLEAR(6) CLEAR(7) CLEAR(16) CLEAR(17) CLEAR(18)
					 CLEAR(19) CLEAR(20) CLEAR(21) CLEAR(22) CLEAR(23) CLEAR(24) CLEAR(25) CLEAR(26) CLEAR(27) CLEAR(28)
						 CLEAR(29) CLEAR(30) CLEAR(31)
				 :
				 :
				 : VECTOR_REGISTERS);
#endif
}

void wipe(void* data, std::size_t size) noexcept
{
	::explicit_bzero(data, size);
	clearVectorRegisters();
}

} // namespace issuer::vault
