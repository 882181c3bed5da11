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
	_data = takeSlot(text.size());
	_size = text.size();
	std::memcpy(_data, text.data(), _size);
	clearVectorRegisters(); // the copy went through them
}

Secret::Secret(Secret&& other) noexcept
	: _data(std::exchange(other._data, nullptr)), _size(std::exchange(other._size, 0))
{
}

Secret& Secret::operator=(Secret&& other) noexcept
{
	Secret taken(std::move(other));
	std::swap(_data, taken._data);
	std::swap(_size, taken._size);
	return *this;
}

Secret::~Secret()
{
	if (_data != nullptr) {
		returnSlot(_data);
	}
}

Secret Secret::share() const noexcept
{
	Secret other;
	if (_data != nullptr) {
		shareSlot(_data);
		other._data = _data;
		other._size = _size;
	}
	return other;
}

bool Secret::equals(std::string_view other) const noexcept
{
	if (other.size() != _size) {
		return false;
	}
	volatile unsigned char difference = 0; // volatile: the optimiser must not leave the loop at the first difference
	for (std::size_t i = 0; i < _size; ++i) {
		difference = static_cast<unsigned char>(difference | (_data[i] ^ other[i]));
	}
	return difference == 0;
}

} // namespace issuer::vault::credential
