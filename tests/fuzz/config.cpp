// Any text as a configuration: settings within their limits, or an error in one line that never repeats the token.
#include "config.h"
#include "base/sanitize.h"
#include "require.h"

using namespace issuer::vault;
using issuer::fuzz::require;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
	const auto text = issuer::fuzz::textOf(data, size);
	if (const auto config = parseConfig(text)) {
		require(!config->transport.addresses.empty(), "there is an address");
		require(
			config->renewal.fraction >= 0.1 && config->renewal.fraction <= 0.9, "the fraction is within its limits");
		require(config->startupTimeout > Duration::zero(), "a start has time");
	}
	else {
		const auto& error = config.error().text;
		require(sanitize(error, error.size()) == error && error.size() < 400, "an error is one short line");
	}

	const std::string secret = "hvs.NEVER_SAID_ALOUD";
	const auto withToken = parseConfig(R"({"address":"http://v","token":{"value":")" + secret + std::string(text));
	require(withToken || withToken.error().text.find("SAID") == std::string::npos || text.find("SAID") != text.npos,
		"an error does not repeat the token");
	return 0;
}
