#include "abi/guard.h"

#include <algorithm>
#include <cstring>

namespace issuer::vault::abi {

issuer_rc fail(issuer_error* err, issuer_rc code, std::string_view text) noexcept
{
	if (err == nullptr) {
		return code;
	}
	if (ISSUER_HAS(err, issuer_error, code)) {
		err->code = code;
	}
	if (ISSUER_HAS(err, issuer_error, message)) {
		auto size = std::min(text.size(), sizeof err->message - 1);
		const auto isInsideACharacter = [&] { return (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80; };
		while (size < text.size() && size > 0 && isInsideACharacter()) {
			--size;
		}
		std::memcpy(err->message, text.data(), size);
		err->message[size] = '\0';
	}
	return code;
}

issuer_rc codeOf(Refusal::Kind kind) noexcept
{
	switch (kind) {
	case Refusal::Kind::invalid:
		return ISSUER_E_INVALID;
	case Refusal::Kind::state:
		return ISSUER_E_STATE;
	case Refusal::Kind::unavailable:
		return ISSUER_E_UNAVAILABLE;
	case Refusal::Kind::timeout:
		return ISSUER_E_TIMEOUT;
	case Refusal::Kind::cancelled:
		return ISSUER_E_CANCELLED;
	}
	return ISSUER_E_INTERNAL; // unreachable: the switch names every kind
}

} // namespace issuer::vault::abi
