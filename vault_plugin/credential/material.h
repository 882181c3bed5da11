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

/// Returns the hour at which a text of this kind ends by itself: of a JWT (`exp`, decoded without its signature) or of
/// the first certificate of a PEM text (notAfter); nothing if it shows none.
[[nodiscard]] std::optional<WallTime> endOf(TextKind kind, std::string_view text);

/// One secret that a login is made of: read by the Reader for as long as it is open, kept in memory that is wiped.
class MaterialPart
{
public:
	explicit MaterialPart(Origin origin) : _origin(std::move(origin)) {}

	/// Begins to read the origin. On the control thread.
	void open(Reader& reader, NewsListener& listener);
	void close() noexcept;

	/// Takes the news.
	void update();

	/// Returns whether a text was read, or it is known why none can be.
	[[nodiscard]] bool isKnown() const noexcept { return !_text.empty() || !_trouble.empty(); }
	[[nodiscard]] const Secret& text() const noexcept { return _text; }
	/// Returns why no text can be read; empty: one can, or nothing is known yet.
	[[nodiscard]] const std::string& trouble() const noexcept { return _trouble; }
	[[nodiscard]] const Origin& origin() const noexcept { return _origin; }
	[[nodiscard]] std::string describe() const { return credential::describe(_origin); }

	/// Returns the hour at which the text ends by itself: of a JWT or certificate.
	[[nodiscard]] std::optional<WallTime> ends() const noexcept { return _ends; }
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
	bool _changed = false;
	bool _urgent = false;
};

} // namespace issuer::vault::credential
