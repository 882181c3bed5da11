#pragma once

#include <cstdint>

namespace issuer::vault::renewal {

/// The chance of both keepers: the jitter of their plans.
///
/// A number in [0, 1) by splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). It
/// changes with next() alone, so that planning anew does not change a plan.
class Chance
{
public:
	explicit Chance(std::uint64_t seed) noexcept : _state(seed + step) {}

	void next() noexcept { _state += step; }

	[[nodiscard]] double value() const noexcept
	{
		auto bits = _state;
		bits = (bits ^ (bits >> 30U)) * 0xbf58476d1ce4e5b9U;
		bits = (bits ^ (bits >> 27U)) * 0x94d049bb133111ebU;
		bits ^= bits >> 31U;
		return static_cast<double>(bits >> 11U) * 0x1.0p-53;
	}

private:
	static constexpr std::uint64_t step = 0x9e3779b97f4a7c15U;

	std::uint64_t _state;
};

} // namespace issuer::vault::renewal
