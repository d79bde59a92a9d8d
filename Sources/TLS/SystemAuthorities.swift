// Where the authorities stand that are trusted where no others are named.

internal import COpenSSL

package enum SystemAuthorities {
    /// The file and directories of OpenSSL's default store (SSL_CTX_set_default_verify_paths(3)), `SSL_CERT_FILE` and `SSL_CERT_DIR` respected.
    /// What is not there is named all the same: it may come.
    package static var paths: [String] {
        let file = unsafe place(X509_get_default_cert_file_env(), X509_get_default_cert_file())
        let directories = unsafe place(X509_get_default_cert_dir_env(), X509_get_default_cert_dir())
        return [file] + directories.split(separator: ":").map(String.init)
    }

    private static func place(_ variable: UnsafePointer<CChar>?, _ standard: UnsafePointer<CChar>?) -> String {
        if let variable = unsafe variable, let value = unsafe getenv(variable) { return unsafe String(cString: value) }
        return unsafe standard.map { unsafe String(cString: $0) } ?? ""
    }
}
