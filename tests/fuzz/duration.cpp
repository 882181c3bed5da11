// Any text as a length of time: bounded, and written so that it is read back the same; or an error in one safe line.
#include "base/duration_text.h"
#include "base/sanitize.h"
#include "require.h"

using namespace issuer::vault;
using issuer::fuzz::require;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
	const auto text = issuer::fuzz::textOf(data, size);
	const auto parsed = parseDuration(text);
	if (!parsed) {
		const auto& error = parsed.error().text;
		require(sanitize(error, error.size()) == error, "an error is one line that is safe to show");
		require(error.size() < 200, "an error is short");
		return 0;
	}
	require(*parsed >= Duration::zero() && *parsed <= std::chrono::years(100), "a length is within 0 and 100 years");
	require(parseDuration(durationText(*parsed)) == *parsed, "what was written is read back");
	return 0;
}
