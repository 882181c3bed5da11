/// The result of a call of the contract as a value: a code with a sentence, or the requested value.
#pragma once

#include <issuer/kit/text.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <variant>

namespace issuer::kit {

/// Success, or a code of the contract and a sentence for people that names the thing, the place and what to do.
struct [[nodiscard]] Answer
{
	issuer_rc code = ISSUER_OK;
	std::string text = std::string(); ///< empty when all is well; never a secret

	explicit operator bool() const noexcept { return code == ISSUER_OK; }
};

/// A value, or an answer that is not ISSUER_OK.
template <class T>
class [[nodiscard]] Result
{
public:
	Result(T value) : _either(std::in_place_index<0>, std::move(value)) {}
	Result(Answer refusal) : _either(std::in_place_index<1>, std::move(refusal)) {}

	explicit operator bool() const noexcept { return _either.index() == 0; }
	[[nodiscard]] T& operator*() { return std::get<0>(_either); }
	[[nodiscard]] const T& operator*() const { return std::get<0>(_either); }
	[[nodiscard]] T* operator->() { return &**this; }
	[[nodiscard]] const T* operator->() const { return &**this; }

	/// Returns why there is no value; ISSUER_OK where there is one.
	[[nodiscard]] Answer answer() const { return *this ? Answer() : std::get<1>(_either); }

private:
	std::variant<T, Answer> _either;
};

/// Writes code and text into the caller's `err`, as far as its struct_size says that there is room: one line of UTF-8,
/// cut between characters. Returns the code.
inline issuer_rc fail(issuer_error* err, issuer_rc code, std::string_view text) noexcept
{
	if (err != nullptr && ISSUER_HAS(err, issuer_error, code)) {
		err->code = code;
	}
	if (err != nullptr && ISSUER_HAS(err, issuer_error, message)) {
		std::size_t size = 0;
		asOneLine(text, [&](std::string_view character) {
			const bool fits = size + character.size() < sizeof err->message;
			if (fits) {
				std::memcpy(err->message + size, character.data(), character.size());
				size += character.size();
			}
			return fits;
		});
		err->message[size] = '\0';
	}
	return code;
}

inline issuer_rc fail(issuer_error* err, const Answer& answer) noexcept
{
	return answer ? ISSUER_OK : fail(err, answer.code, answer.text);
}

/// An `err` to hand to a call, and the answer it makes of what came back.
class ErrorText
{
public:
	ErrorText() noexcept
	{
		_error.struct_size = sizeof _error;
		_error.code = ISSUER_OK;
		_error.message[0] = '\0';
	}
	ErrorText(const ErrorText&) = delete;
	ErrorText& operator=(const ErrorText&) = delete;

	operator issuer_error*() noexcept { return &_error; }

	Answer answer(issuer_rc code) const
	{
		if (code == ISSUER_OK) {
			return {};
		}
		const auto* const end = std::find(std::begin(_error.message), std::end(_error.message), '\0');
		std::string text(std::begin(_error.message), end);
		return {
			code, text.empty() ? "the plugin gives no reason (code " + std::to_string(code) + ")" : std::move(text)};
	}

private:
	issuer_error _error;
};

} // namespace issuer::kit
