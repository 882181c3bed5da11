#pragma once

#include "base/time.h"
#include "credential/origin.h"
#include "credential/reader.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace issuer::vault::credential {

/// The key of marks: keyed hashes that tell two texts apart without naming either. Texts cannot be tried
/// on marks without the key. [thread-safe while constant]
using MarkKey = std::array<unsigned char, 16>;

/// Returns a random key.
[[nodiscard]] MarkKey anyMarkKey();

/// Returns the mark of several texts, in their order; never 0.
[[nodiscard]] std::uint64_t markOf(const MarkKey& key, std::initializer_list<std::string_view> texts);

/// The times that a JWT shows, as decoded without its signature; nothing for what it does not show.
struct JwtTimes
{
	std::optional<WallTime> ends;   ///< `exp`
	std::optional<WallTime> begins; ///< `nbf`
};
[[nodiscard]] JwtTimes timesOf(std::string_view jwt);

/// Returns the end of the first certificate of a PEM text (notAfter); nothing if it cannot be read.
[[nodiscard]] std::optional<WallTime> endOfCertificate(std::string_view pem);

/// One secret that a login is made of: read by the Reader for as long as it is open, kept in memory that is wiped.
class MaterialPart
{
public:
	explicit MaterialPart(Origin origin) : _origin(std::move(origin)) {}

	/// Begins to read the origin. On the control thread.
	void open(Reader& reader, NewsListener& listener);
	void close() noexcept;

	/// Takes the news. Returns whether text or trouble have changed.
	bool update();

	/// Returns whether a text was read, or it is known why none can be.
	[[nodiscard]] bool isKnown() const noexcept { return !_text.empty() || !_trouble.empty(); }
	[[nodiscard]] const Secret& text() const noexcept { return _text; }
	/// Returns why no text can be read; empty: one can, or nothing is known yet.
	[[nodiscard]] const std::string& trouble() const noexcept { return _trouble; }
	[[nodiscard]] const Origin& origin() const noexcept { return _origin; }
	[[nodiscard]] std::string describe() const { return credential::describe(_origin); }

	/// Returns the hour at which the text ends by itself: of a JWT or certificate.
	[[nodiscard]] std::optional<WallTime> ends() const noexcept { return _ends; }
	[[nodiscard]] std::optional<WallTime> begins() const noexcept { return _begins; }
	/// Returns whether the text has changed since open().
	[[nodiscard]] bool hasChanged() const noexcept { return _changed; }

	void setUrgent(bool urgent) noexcept;
	void lookNow() noexcept;

	/// Reads the origin once. Blocks until `deadline` at most. Changes nothing here.
	[[nodiscard]] Result<Secret> readNow(Reader& reader, std::chrono::steady_clock::time_point deadline) const;

private:
	void take(Secret text);

	Origin _origin;
	Reader::File _file; ///< empty unless the origin is a file and open
	Secret _text;
	std::string _trouble;
	std::optional<WallTime> _ends;
	std::optional<WallTime> _begins;
	bool _changed = false;
	bool _urgent = false;
	bool _news = false; ///< of an origin that is no file: read, and not told yet
};

} // namespace issuer::vault::credential
