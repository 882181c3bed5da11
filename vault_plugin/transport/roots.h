#pragma once

#include "transport/file_stamp.h"
#include "transport/reading.h"
#include "transport/tls_context.h"

#include <string>
#include <vector>

namespace issuer::vault::transport {

/// Where this system keeps its roots, if nobody names others.
struct SystemRoots
{
	std::string file;
	std::vector<std::string> directories;

	/// As OpenSSL has it: SSL_CERT_FILE and SSL_CERT_DIR of the environment, or what it was built with.
	[[nodiscard]] static SystemRoots find();
};

/// The certificates that servers are judged by, read from files: see FileBacked.
///
/// Each certificate in them is trusted as it is, root, intermediate or a server's own; those who put it there meant it.
/// CRLs count where there are some: a certificate anywhere in a chain is refused if its authority's CRL lists it, and
/// an authority without one revokes nothing. A CRL past its next update refuses all that it should be asked about.
class RootsSource
{
public:
	using Value = TlsContext;

	/// Both empty: the system's.
	RootsSource(std::string caFile, std::string caDir, SystemRoots system);
	/// No server is verified; there is nothing to read.
	[[nodiscard]] static RootsSource unverified();

	[[nodiscard]] std::string name() const;
	[[nodiscard]] std::string key() const;
	[[nodiscard]] std::vector<FileStamp> stamps(Reading& reading) const;
	/// The error names the file or directory. A system without roots is none: then no certificate is trusted.
	[[nodiscard]] FileResult<std::shared_ptr<const TlsContext>> read(Reading& reading) const;
	void advise(const TlsContext&, std::vector<std::string>&) const {}

private:
	bool _verifies = true;
	std::string _caFile;
	std::string _caDir;
	SystemRoots _system; ///< only if neither of the two is given
};

} // namespace issuer::vault::transport
