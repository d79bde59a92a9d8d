// Roles as sources: taken on with another source's credentials, or with a token that an identity provider signed.

internal import Gateway
internal import Kernel

struct AWSRoleSource: AWSSource {
    let role: AWSSecurityTokenService.Role
    /// Whose credentials the role is taken on with.
    let base: any AWSSource
    let service: AWSSecurityTokenService
    /// In words, such as `profile ops`.
    let place: String

    func grant() async throws(AWSCredentialFault) -> AWSGrant {
        let vouching = try await base.grant()
        let name = "\(place) (role \(AWSExchange.plain(role.name)))"
        let credentials = try await service.assume(role, with: vouching.credentials, for: "\(name), as \(vouching.source)")
        return AWSGrant(credentials, from: "\(name), as \(vouching.source)")
    }
}

/// The token file is read anew each time: whoever wrote it renews it (Kubernetes does so every hour or so).
struct AWSWebIdentitySource: AWSSource {
    let role: AWSSecurityTokenService.Role
    let tokenFile: String
    let service: AWSSecurityTokenService
    let around: AWSSurroundings

    func grant() async throws(AWSCredentialFault) -> AWSGrant {
        let name = "web identity token \(tokenFile) (role \(AWSExchange.plain(role.name)))"
        let token = try around.token(at: tokenFile, for: name)
        return AWSGrant(try await service.assume(role, withWebIdentity: token, for: name), from: name)
    }
}

extension AWSSurroundings {
    /// What a token file holds, without white space at its end. It must be one line of visible characters.
    func token(at path: String, for source: String) throws(AWSCredentialFault) -> Secret {
        let file: AWSFile?
        do throws(AWSFileFault) {
            file = try read(path)
        } catch {
            throw AWSCredentialFault(isPassing: true, "\(source): \(path) cannot be read: \(error.reason)")
        }
        guard let file else { throw AWSCredentialFault(isPassing: true, "\(source): there is no file \(path)") }
        var end = file.content.count
        while end > 0, file.content.bytes[end - 1] <= 0x20 { end -= 1 }
        let token = file.content.bytes.extracting(first: end)
        for at in 0..<end where token[at] <= 0x20 || token[at] >= 0x7F { throw AWSCredentialFault(isPassing: true, "\(source): \(path) holds no token") }
        guard end > 0 else { throw AWSCredentialFault(isPassing: true, "\(source): \(path) is empty") }
        return Secret(copying: token)
    }
}
