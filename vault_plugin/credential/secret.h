#pragma once

#include <cstdint>
#include <string_view>

namespace issuer::vault::credential {

/// A token at rest: in pages that no core dump contains (MADV_DONTDUMP) and no fork inherits (MADV_WIPEONFORK),
/// overwritten when the last one that shares it is replaced or dropped. Move-only. Not thread-safe by itself; the pages
/// are shared safely, so each of several threads may use one that shares the token.
class Secret
{
public:
	Secret() noexcept = default;
	/// Copies `text`, at most 64 KiB (else std::length_error); the caller wipes the original.
	explicit Secret(std::string_view text);
	Secret(Secret&& other) noexcept;
	Secret& operator=(Secret&& other) noexcept;
	~Secret();

	/// Returns another hold on the same token.
	[[nodiscard]] Secret share() const noexcept;

	[[nodiscard]] std::string_view view() const noexcept;
	[[nodiscard]] bool empty() const noexcept { return _slot == nullptr; }

	/// Compares in constant time for equal lengths.
	[[nodiscard]] bool equals(std::string_view other) const noexcept;

private:
	using Size = std::uint32_t;

	char* _slot = nullptr; ///< a Size, and so many bytes of text; null: empty
};

} // namespace issuer::vault::credential
