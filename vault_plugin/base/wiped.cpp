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

/// Of the registers 0 to 15, all that AVX and AVX-512 add to them too.
[[gnu::target("avx")]] void clearLowRegisters() noexcept
{
	asm volatile("vzeroall" : : : LOW_REGISTERS);
}

/// Likewise: an instruction with a prefix of AVX-512 clears what its short form does not name.
[[gnu::target("avx512vl")]] void clearHighRegisters() noexcept
{
	asm volatile(CLEAR(16) CLEAR(17) CLEAR(18) CLEAR(19) CLEAR(20) CLEAR(21) CLEAR(22) CLEAR(23) CLEAR(24) CLEAR(25)
					 CLEAR(26) CLEAR(27) CLEAR(28) CLEAR(29) CLEAR(30) CLEAR(31)
				 :
				 :
				 : HIGH_REGISTERS);
}
#endif

/// What copies have moved stays in the vector registers, and whoever saves them next leaves it on the stack: the
/// dynamic loader does when a library first calls another. Without AVX, and on other processors, nothing is done about
/// it.
void clearVectorRegisters() noexcept
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx") != 0) {
		clearLowRegisters();
	}
	if (__builtin_cpu_supports("avx512vl") != 0) {
		clearHighRegisters();
	}
#endif
}

} // namespace

void wipe(void* data, std::size_t size) noexcept
{
	::explicit_bzero(data, size);
	clearVectorRegisters();
}

} // namespace issuer::vault
