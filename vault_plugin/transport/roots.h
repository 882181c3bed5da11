#pragma once

#include "transport/file_stamp.h"
#include "transport/reading.h"
#include "transport/tls_context.h"

#include <string>
#include <vector>

namespace issuer::vault::transport {

/// The places where this system keeps its roots.
struct SystemRoots
{
	std::string file;
	std::vector<std::string> directories;

	/// Returns OpenSSL's: SSL_CERT_FILE and SSL_CERT_DIR of the environment, or its built-in paths.
	[[nodiscard]] static SystemRoots find();
};

/// The certificates that servers are verified by, read from files: see FileBacked.
///
/// Each certificate in them is trusted as it is, root, intermediate or a server's own: the operator has chosen it. If
/// there are CRLs, they count: a certificate anywhere in a chain is refused if its authority's CRL lists it, and an
/// authority without a CRL revokes nothing. A CRL past its next update refuses every certificate of its authority.
class RootsSource
{
public:
	using Value = TlsContext;

	/// Both empty: the system's roots.
	RootsSource(std::string caFile, std::string caDir, SystemRoots system);
	/// Returns a source without roots: no server is verified, and nothing is read.
	[[nodiscard]] static RootsSource unverified();

	[[nodiscard]] std::string name() const;
	[[nodiscard]] std::string key() const;
	[[nodiscard]] std::vector<FileStamp> stamps(Reading& reading) const;
	/// Reads the files. The error names the file or directory. A system without roots is no error: then no certificate
	/// is trusted.
	[[nodiscard]] FileResult<std::shared_ptr<const TlsContext>> read(Reading& reading) const;
	void advise(const TlsContext&, std::vector<std::string>&) const {}

private:
	bool _verifies = true;
	std::string _caFile;
	std::string _caDir;
	SystemRoots _system; ///< only if neither of the two is given
};

} // namespace issuer::vault::transport
