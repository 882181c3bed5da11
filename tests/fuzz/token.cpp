// Any text as a token: one word of visible ASCII out of the middle of it, or an error that does not depend on the rest.
#include "base/sanitize.h"
#include "credential/secret.h"
#include "credential/token_text.h"
#include "require.h"

#include <algorithm>

using namespace issuer::vault;
using issuer::fuzz::require;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
	const auto text = issuer::fuzz::textOf(data, size);
	const auto token = credential::tokenIn(text);
	if (!token) {
		const auto& error = token.error().text;
		require(sanitize(error, error.size()) == error && error.size() < 120, "an error is one short line");
		return 0;
	}
	require(!token->empty(), "a token is not empty");
	require(std::ranges::all_of(*token, [](char c) { return c > ' ' && c < 0x7f; }), "a token is visible ASCII");
	require(text.find(*token) != text.npos, "a token is a part of the text");
	require(credential::tokenIn(*token) == *token, "a token is its own token");

	const credential::Secret secret(*token);
	require(secret.equals(*token) && secret.view() == *token, "a secret keeps what it is given");
	return 0;
}
