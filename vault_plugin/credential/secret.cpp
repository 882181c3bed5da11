#include "credential/secret.h"

#include "base/wiped.h"
#include "credential/secret_pages.h"

#include <cstring>
#include <stdexcept>
#include <utility>

namespace issuer::vault::credential {

Secret::Secret(std::string_view text)
{
	if (text.empty()) {
		return;
	}
	if (text.size() > longestSecret) {
		throw std::length_error("a secret of more than 64 KiB");
	}
	_slot = takeSlot(sizeof(Size) + text.size());
	const auto size = static_cast<Size>(text.size());
	std::memcpy(_slot, &size, sizeof size);
	std::memcpy(_slot + sizeof size, text.data(), text.size());
	clearVectorRegisters(); // the copy went through them
}

Secret::Secret(Secret&& other) noexcept : _slot(std::exchange(other._slot, nullptr)) {}

Secret& Secret::operator=(Secret&& other) noexcept
{
	Secret taken(std::move(other));
	std::swap(_slot, taken._slot);
	return *this;
}

Secret::~Secret()
{
	if (_slot != nullptr) {
		returnSlot(_slot);
	}
}

Secret Secret::share() const noexcept
{
	Secret other;
	if (_slot != nullptr) {
		shareSlot(_slot);
		other._slot = _slot;
	}
	return other;
}

std::string_view Secret::view() const noexcept
{
	if (_slot == nullptr) {
		return {};
	}
	Size size = 0;
	std::memcpy(&size, _slot, sizeof size);
	return {_slot + sizeof size, size};
}

bool Secret::equals(std::string_view other) const noexcept
{
	const auto text = view();
	if (other.size() != text.size()) {
		return false;
	}
	volatile unsigned char difference = 0; // volatile: the optimiser must not leave the loop at the first difference
	for (std::size_t i = 0; i < text.size(); ++i) {
		difference = static_cast<unsigned char>(difference | (text[i] ^ other[i]));
	}
	return difference == 0;
}

} // namespace issuer::vault::credential
