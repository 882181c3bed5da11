#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace issuer::vault {

/// Zeroes this thread's vector registers, which copies and ciphers go through: what is left in them stays there for as
/// long as the thread waits, and the dynamic loader saves it on the stack when a library first calls another. On x86-64
/// with AVX all of them; on arm64 all that functions need not preserve, SVE's extensions of them included. Elsewhere it
/// does nothing.
void clearVectorRegisters() noexcept;

/// Overwrites `size` bytes in a way that the optimiser may not remove, and clears the vector registers, which may hold
/// copies of them.
void wipe(void* data, std::size_t size) noexcept;

/// An allocator whose memory is overwritten before it is given back.
template <class T>
struct WipingAllocator
{
	using value_type = T;

	WipingAllocator() noexcept = default;
	template <class U>
	WipingAllocator(const WipingAllocator<U>&) noexcept
	{
	}

	T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
	void deallocate(T* data, std::size_t count) noexcept
	{
		wipe(data, count * sizeof(T));
		std::allocator<T>().deallocate(data, count);
	}

	friend bool operator==(WipingAllocator, WipingAllocator) noexcept { return true; }
};

/// Bytes that may hold a secret in transit: a request with its token, a reply with its accessor. A string of fewer than
/// 16 characters lives inside the object itself and is not wiped: reserve() first.
using WipedString = std::basic_string<char, std::char_traits<char>, WipingAllocator<char>>;

} // namespace issuer::vault
