#include "credential/material.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>

#include <Poco/Base64Decoder.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/MemoryStream.h>
#include <Poco/SHA2Engine.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/random.h>

namespace issuer::vault::credential {
namespace {

/// Returns the hour of a claim in seconds since 1970; nothing if there is none, or an absurd one.
std::optional<WallTime> hourOf(const Poco::JSON::Object& claims, const char* name)
{
	constexpr double latest = 253'402'300'800; // of the year 9999
	const auto value = claims.get(name);
	if (!value.isNumeric() || value.isBoolean()) {
		return std::nullopt;
	}
	const auto seconds = value.convert<double>();
	if (!(seconds >= 0 && seconds < latest)) {
		return std::nullopt;
	}
	return WallTime(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
}

/// Returns the end of a JWT (`exp`), as decoded without its signature; nothing if it shows none.
std::optional<WallTime> endOfJwt(std::string_view jwt)
try {
	const auto first = jwt.find('.');
	const auto last = jwt.rfind('.');
	if (first == jwt.npos || last <= first) {
		return std::nullopt;
	}
	std::string payload(jwt.substr(first + 1, last - first - 1));
	std::ranges::replace(payload, '-', '+'); // Poco 1.11 cannot be told of the alphabet of URLs
	std::ranges::replace(payload, '_', '/');
	payload.append((4 - payload.size() % 4) % 4, '=');
	Poco::MemoryInputStream stream(payload.data(), static_cast<std::streamsize>(payload.size()));
	Poco::Base64Decoder decoder(stream);
	Poco::JSON::Parser parser; // of the claims, which prove nothing without the signature
	parser.setDepth(16);
	const auto claims = parser.parse(decoder).extract<Poco::JSON::Object::Ptr>();
	return hourOf(*claims, "exp");
}
catch (const Poco::Exception&) {
	return std::nullopt; // the server knows better than this look without its keys
}

/// Returns the end of the first certificate of a PEM text (notAfter); nothing if it cannot be read.
std::optional<WallTime> endOfCertificate(std::string_view pem)
{
	const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
		BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
	const std::unique_ptr<X509, decltype(&X509_free)> certificate(
		bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr, &X509_free);
	std::tm end{};
	if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1) {
		ERR_clear_error();
		return std::nullopt;
	}
	return WallTime(std::chrono::seconds(::timegm(&end)));
}

} // namespace

MarkKey anyMarkKey()
{
	MarkKey key{};
	if (::getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size())) {
		throw std::runtime_error("the system gives no random bytes");
	}
	return key;
}

std::uint64_t markOf(const MarkKey& key, std::initializer_list<std::string_view> texts)
{
	Poco::SHA2Engine engine(Poco::SHA2Engine::SHA_256);
	engine.update(key.data(), key.size());
	for (const auto text : texts) {
		const std::uint64_t size = text.size(); // "ab", "c" is other than "a", "bc"
		engine.update(&size, sizeof size);
		engine.update(text.data(), text.size());
	}
	engine.update(key.data(), key.size());
	constexpr std::array<char, 64> block{}; // takes the place of the texts in the engine, which frees them as they are
	engine.update(block.data(), block.size());
	std::uint64_t mark = 0;
	const auto& digest = engine.digest();
	for (std::size_t i = 0; i < sizeof mark; ++i) {
		mark = mark << 8U | digest.at(i);
	}
	return mark == 0 ? 1 : mark;
}

std::optional<WallTime> endOf(TextKind kind, std::string_view text)
{
	switch (kind) {
	case TextKind::jwt:
		return endOfJwt(text);
	case TextKind::certificate:
		return endOfCertificate(text);
	case TextKind::token:
	case TextKind::wrappingToken:
	case TextKind::roleId:
	case TextKind::secretId:
	case TextKind::password:
		break;
	}
	return std::nullopt;
}

void MaterialPart::open(Reader& reader, NewsListener& listener)
{
	_changed = _urgent = false;
	if (_origin.kind == Origin::Kind::file) {
		_file = reader.open(_origin.name, listener, _origin.text);
		return;
	}
	auto text = readHere(_origin);
	_trouble.clear();
	if (text) {
		take(std::move(*text));
	}
	else {
		_text = {};
		_trouble = std::move(text.error().text);
	}
}

void MaterialPart::close() noexcept
{
	_file = {};
}

void MaterialPart::update()
{
	auto news = _file ? _file.take() : std::nullopt;
	if (!news) {
		return;
	}
	try {
		if (!news->token.empty()) {
			_trouble.clear();
			take(std::move(news->token));
		}
		if (!news->trouble.empty() && !(news->hanging && !_text.empty())) { // else the text read before is good still
			_trouble = std::move(news->trouble);
		}
	}
	catch (...) {
		lookNow(); // out of memory: another look brings the same news
		throw;
	}
}

void MaterialPart::take(Secret text)
{
	if (_text.equals(text.view())) {
		return;
	}
	const bool isFirst = _text.empty();
	_ends = endOf(_origin.text, text.view());
	_text = std::move(text);
	_changed = _changed || !isFirst;
}

void MaterialPart::setUrgent(bool urgent) noexcept
{
	if (_file && std::exchange(_urgent, urgent) != urgent) {
		_file.setUrgent(urgent);
	}
}

void MaterialPart::lookNow() noexcept
{
	if (_file) {
		_file.lookNow();
	}
}

Result<Secret> MaterialPart::readNow(Reader& reader, std::chrono::steady_clock::time_point deadline) const
{
	return _origin.kind == Origin::Kind::file ? reader.readOnce(_origin.name, deadline, _origin.text)
											  : readHere(_origin);
}

} // namespace issuer::vault::credential
