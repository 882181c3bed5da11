#include "credential/text_kind.h"

#include "credential/secret_pages.h"
#include "credential/token_text.h"

#include <algorithm>

namespace issuer::vault::credential {
namespace {

bool takeLineEnd(std::string_view& text)
{
	if (!text.ends_with('\n')) {
		return false;
	}
	text.remove_suffix(text.ends_with("\r\n") ? 2 : 1);
	return true;
}

Result<std::string_view> passwordIn(std::string_view text)
{
	static_cast<void>(takeLineEnd(text));
	if (text.empty()) {
		return failure("is empty");
	}
	if (takeLineEnd(text)) {
		return failure("ends in two line ends: one is taken off, the other would count as part of the password");
	}
	if (text.find('\0') != text.npos) {
		return failure("holds a zero byte: save it as plain text");
	}
	if (text.size() > longestSecret) {
		return failure("is longer than 64 KiB; a password has far fewer characters");
	}
	return text;
}

Result<std::string_view> jwtIn(std::string_view text)
{
	return wordIn(text, nameOf(TextKind::jwt)).and_then([](std::string_view word) -> Result<std::string_view> {
		if (std::ranges::count(word, '.') != 2) {
			return failure("is not a JWT, which has three parts with dots between them");
		}
		return word;
	});
}

Result<std::string_view> certificateIn(std::string_view text)
{
	if (text.find("-----BEGIN CERTIFICATE-----") == text.npos) {
		return failure("holds no certificate in PEM (-----BEGIN CERTIFICATE-----)");
	}
	return text;
}

} // namespace

std::string_view nameOf(TextKind kind) noexcept
{
	switch (kind) {
	case TextKind::token:
		return "token";
	case TextKind::wrappingToken:
		return "wrapping token";
	case TextKind::roleId:
		return "role_id";
	case TextKind::secretId:
		return "secret_id";
	case TextKind::jwt:
		return "JWT";
	case TextKind::password:
		return "password";
	case TextKind::certificate:
		return "client certificate";
	}
	return {}; // unreachable: the switch names every kind
}

Result<std::string_view> textIn(TextKind kind, std::string_view text)
{
	switch (kind) {
	case TextKind::token:
	case TextKind::wrappingToken:
	case TextKind::roleId:
	case TextKind::secretId:
		return wordIn(text, nameOf(kind));
	case TextKind::jwt:
		return jwtIn(text);
	case TextKind::password:
		return passwordIn(text);
	case TextKind::certificate:
		return certificateIn(text);
	}
	return failure("is of no known kind"); // unreachable: the switch names every kind
}

} // namespace issuer::vault::credential
