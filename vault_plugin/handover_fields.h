#pragma once

#include <Poco/JSON/Object.h>
#include <Poco/NumberFormatter.h>
#include <Poco/NumberParser.h>
#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "base/time.h"

/// Writing and reading of a hand-over's fields.
namespace issuer::vault::handover {

/// Writes a field as a whole number: microseconds for times, the value for the rest; null for nothing.
class Writer
{
public:
	explicit Writer(Poco::JSON::Object& json) : _json(json) {}

	template <class T, class... Limit>
	void operator()(const char* name, const T& value, Limit...) const
	{
		_json.set(name, number(value));
	}
	void operator()(const char* name, const std::string& text) const { _json.set(name, text); }

	/// Writes a keyed hash, which uses all bits, as a text.
	void mark(const char* name, std::uint64_t mark) const { _json.set(name, Poco::NumberFormatter::formatHex(mark)); }

private:
	template <class T>
	static Poco::Dynamic::Var number(const T& value)
	{
		if constexpr (requires { value.has_value(); }) {
			return value ? number(*value) : Poco::Dynamic::Var();
		}
		else if constexpr (requires { value.time_since_epoch(); }) {
			return std::int64_t{value.time_since_epoch().count()};
		}
		else if constexpr (requires { value.count(); }) {
			return std::int64_t{value.count()};
		}
		else {
			return static_cast<std::int64_t>(value);
		}
	}

	Poco::JSON::Object& _json;
};

/// Reads what a Writer has written; throws std::runtime_error that names a field of another form.
class Reader
{
public:
	explicit Reader(const Poco::JSON::Object& json) : _json(json) {}

	template <class T>
	void operator()(const char* name, T& value) const
	{
		if constexpr (requires { value.reset(); }) {
			value.reset();
			if (!_json.has(name) || _json.isNull(name)) {
				return;
			}
			(*this)(name, value.emplace());
		}
		else if constexpr (requires { value.time_since_epoch(); }) {
			value = T(typename T::duration(time(name)));
		}
		else if constexpr (requires { value.count(); }) {
			value = T(time(name));
		}
		else {
			constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<T>::max());
			value = static_cast<T>(number(name, std::int64_t{std::numeric_limits<T>::min()}, most));
		}
	}

	void operator()(const char* name, std::string& text) const { text = _json.getValue<std::string>(name); }

	void mark(const char* name, std::uint64_t& mark) const
	{
		const auto text = _json.getValue<std::string>(name);
		Poco::UInt64 number = 0;
		if (!Poco::NumberParser::tryParseHex64(text, number)) {
			throw std::runtime_error(std::string(name) + " is not a mark");
		}
		mark = number;
	}

	template <class Enum>
	void operator()(const char* name, Enum& value, Enum last) const
	{
		value = static_cast<Enum>(number(name, 0, static_cast<std::uint64_t>(last)));
	}

private:
	/// Reads a time, bounded so that sums of times cannot overflow; only "never yet" lies farther away, on either side.
	std::int64_t time(const char* name) const
	{
		constexpr auto longest = Duration(std::chrono::years(300)).count();
		const auto time = number(name);
		const bool never = time == Duration::min().count() || time == Duration::max().count();
		return never ? time : number(name, -longest, longest);
	}

	std::int64_t number(const char* name, std::int64_t least = std::numeric_limits<std::int64_t>::min(),
		std::uint64_t most = std::uint64_t{std::numeric_limits<std::int64_t>::max()}) const
	{
		const auto value = _json.get(name);
		if (!value.isInteger() || value.isBoolean()) {
			throw std::runtime_error(std::string(name) + " is not a whole number");
		}
		const auto number = value.convert<std::int64_t>();
		if (number < least || (number > 0 && static_cast<std::uint64_t>(number) > most)) {
			throw std::runtime_error(std::string(name) + " is out of its range");
		}
		return number;
	}

	const Poco::JSON::Object& _json;
};

/// Moves the instants among the fields from one boot's clock to another's.
class Mover
{
public:
	Mover(const Moment& seen, const Moment& now) : _seen(seen.boot), _now(now.boot), _shift(shiftOf(seen, now)) {}

	template <class T, class... Limit>
	void operator()(const char* name, T& value, Limit... limit) const
	{
		if constexpr (std::is_same_v<T, Instant>) {
			if (value != Instant::min() && value != Instant::max()) {
				value = value <= _seen ? std::min(value + _shift, _now) : value + _shift;
			}
		}
		else if constexpr (std::is_same_v<T, std::optional<Instant>>) {
			if (value) {
				(*this)(name, *value, limit...);
			}
		}
	}
	void mark(const char*, std::uint64_t) const {}

private:
	static Duration shiftOf(const Moment& seen, const Moment& now)
	{
		return (seen.wall - now.wall) - (seen.boot - now.boot);
	}

	Instant _seen;
	Instant _now;
	Duration _shift;
};

} // namespace issuer::vault::handover
