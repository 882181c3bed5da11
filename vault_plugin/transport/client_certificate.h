#pragma once

#include "transport/file_stamp.h"
#include "transport/reading.h"
#include "transport/tls_context.h"

#include <string>
#include <vector>

namespace issuer::vault::transport {

/// A client certificate and its key, read from files: see FileBacked.
class ClientCertificateSource
{
public:
	using Value = ClientCertificate;

	ClientCertificateSource(std::string certificate, std::string key)
		: _certificate(std::move(certificate)), _key(std::move(key))
	{
	}

	[[nodiscard]] std::string name() const { return "client certificate " + _certificate; }
	[[nodiscard]] std::string key() const;
	[[nodiscard]] std::vector<FileStamp> stamps(Reading& reading) const;
	/// Reads both files. The error names the file; it is also one if certificate and key do not belong together, as
	/// when only one of the two has been replaced.
	[[nodiscard]] FileResult<std::shared_ptr<const ClientCertificate>> read(Reading& reading) const;
	/// Adds a line if the certificate ends within 30 days.
	void advise(const ClientCertificate& certificate, std::vector<std::string>& lines) const;

private:
	std::string _certificate;
	std::string _key;
};

} // namespace issuer::vault::transport
