// Why one call of Parameter Store failed, and what that means for the next.

internal import Gateway
internal import Metrics
internal import Outbound

struct CallFault: Error {
    enum Again: Equatable {
        /// The same would fail again.
        case never
        case afterPause
        /// The credentials were not taken: with those that the source gives now.
        case withOtherCredentials
        /// One of several references is at fault: each alone.
        case oneByOne
    }

    let fault: StoreFault
    let again: Again
    /// Whether it tells that nothing can be had of the store now, whatever is asked.
    let isOutage: Bool
    /// How long the store asked to be left alone.
    var wish: Duration?
    /// Whether there was an answer, in a form that is none.
    var isMalformed = false

    /// As what the call counts.
    var outcome: StoreOutcome { isMalformed ? .invalid : fault.outcome }
}

extension CallFault {
    /// No answer came.
    init(_ fault: OutboundFault, at place: ParameterStorePlace) {
        let words = "\(place): \(CallFault.cause(fault, at: place))"
        switch fault.kind {
        case .timedOut:
            self.init(fault: StoreFault(.timedOut, words), again: .afterPause, isOutage: true)
        case .unresolved:
            let remedy = "is `region` right, and does this machine's DNS know the endpoint?"
            self.init(fault: StoreFault(.unavailable, "\(words): \(remedy)"), again: .afterPause, isOutage: true)
        case .invalid:
            self.init(fault: StoreFault(.misconfigured, words), again: .never, isOutage: true)
        case .cancelled:
            self.init(fault: StoreFault(.unavailable, words), again: .never, isOutage: false)
        case .unreachable:
            let remedy = "does something listen there, and do firewall, proxy and routes let this machine through?"
            self.init(fault: StoreFault(.unavailable, "\(words): \(remedy)"), again: fault.retry == .pointless ? .never : .afterPause, isOutage: true)
        case .untrusted, .broken, .tooLarge, .crowded:
            let again: Again = fault.retry == .pointless ? .never : .afterPause
            self.init(fault: StoreFault(.unavailable, words), again: again, isOutage: fault.kind != .crowded)
        }
    }

    /// The cause without the address, which the place says already.
    private static func cause(_ fault: OutboundFault, at place: ParameterStorePlace) -> String {
        var words = Substring(fault.description)
        let address = "\(place.endpoint.split(separator: "/").last ?? ""): "
        if words.utf8.starts(with: address.utf8) { words = words.dropFirst(address.count) }
        if words.utf8.starts(with: "Could not resolve host: ".utf8) { return "its name does not resolve" }
        if words.utf8.starts(with: "Failed to connect to ".utf8), let colon = words.lastIndex(of: ":") {
            words = words[colon...].dropFirst(2)
        }
        return String(words)
    }

    /// There is nothing to sign with.
    init(_ fault: AWSCredentialFault) {
        self.init(
            fault: StoreFault(fault.isPassing ? .unavailable : .denied, "no AWS credentials: \(fault)"), again: fault.isPassing ? .afterPause : .never,
            isOutage: true)
    }

    /// The answer is no JSON of the operation's form.
    static func notUnderstood(_ operation: ParameterStoreOperation, at place: ParameterStorePlace) -> CallFault {
        CallFault(
            fault: StoreFault(.unavailable, "\(place): the answer to \(operation.rawValue) is not Parameter Store's: is the endpoint one?"), again: .afterPause,
            isOutage: true, isMalformed: true)
    }

    /// The answer is a no.
    /// - Parameters:
    ///   - subject: what was asked for, a parameter's name or a path, for messages.
    ///   - now: seconds since 1970.
    init(_ response: OutboundResponse, to operation: ParameterStoreOperation, on subject: String, at place: ParameterStorePlace, now: Int64) {
        let error = ServiceError.read(response)
        let verdict = CallFault.verdict(error, response, operation, subject, place, now)
        self.init(
            fault: StoreFault(verdict.kind, "\(place): \(verdict.words)"), again: verdict.again, isOutage: verdict.isOutage,
            wish: response.retryAfter(now: now))
    }

    private typealias Verdict = (kind: StoreFault.Kind, words: String, again: Again, isOutage: Bool)

    private static func verdict(
        _ error: ServiceError, _ response: OutboundResponse, _ operation: ParameterStoreOperation, _ subject: String, _ place: ParameterStorePlace, _ now: Int64
    ) -> Verdict {
        let code = error.code ?? ""
        if error.isReserved {
            let words = "AWS keeps names that begin with `aws` or `ssm` for itself, and does not take \(subject): choose another `prefix`"
            return (.misconfigured, words, .never, false)
        }
        switch code {
        case "ThrottlingException", "Throttling", "ThrottledException", "TooManyRequestsException", "RequestLimitExceeded", "RequestThrottled",
            "RequestThrottledException", "KMSThrottlingException", "SlowDown", "BandwidthLimitExceeded":
            return (.throttled, "too many calls (\(code)): lower `reads` or `writes`, or raise the account's throughput", .afterPause, true)
        case "TooManyUpdates":
            return (.unavailable, "another change of the parameter is under way", .afterPause, false)
        case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized", "KMSAccessDeniedException":
            return (.denied, denial(error, operation, subject, place), operation.isBatch ? .oneByOne : .never, false)
        case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired":
            return (.denied, "the AWS credentials have expired (\(code)), and the source has no others: renew them", .withOtherCredentials, true)
        case "UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "InvalidToken", "MissingAuthenticationToken",
            "MissingAuthenticationTokenException", "AuthFailure", "NotSignedUp", "SubscriptionRequiredException", "OptInRequired":
            return (.denied, "AWS does not know the access key or the session token (\(code)); is it this region's and partition's?", .withOtherCredentials, true)
        case "RequestTimeTooSkewed", "RequestExpired":
            return clock(response, now)
        case "InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature", "IncompleteSignatureException":
            if error.isClock { return clock(response, now) }
            if error.isElsewhere {
                return (.misconfigured, "the endpoint is not of region \(place.region): make `region` and `endpoint` agree", .never, true)
            }
            return (.denied, "the signature is not right (\(code)): the secret access key is not the one of the access key", .withOtherCredentials, true)
        case "InvalidKeyId", "KMSInvalidStateException", "DisabledException", "KMSDisabledException", "KMSNotFoundException", "NotFoundException",
            "InvalidKeyUsageException", "KMSInvalidKeyUsageException":
            let remedy = "does `kms_key` name a key of region \(place.region) that is enabled?"
            return (.misconfigured, "the KMS key cannot be used (\(code)): \(remedy)", operation.isBatch ? .oneByOne : .never, false)
        case "ParameterLimitExceeded":
            return (.rejected, "the account has as many parameters as its tier allows (10,000 of tier standard): set `tier: intelligent` or `advanced`, or delete some", .never, false)
        case "ParameterMaxVersionLimitExceeded":
            return (.rejected, "the parameter has 100 versions, and its oldest bears a label: move the label (`aws ssm label-parameter-version`)", .never, false)
        case "HierarchyLevelLimitExceededException", "ParameterPatternMismatchException", "HierarchyTypeMismatchException":
            return (.misconfigured, "the name is not taken (\(code)): shorten `prefix`, or choose another", .never, false)
        case "ValidationException", "UnsupportedParameterType":
            return rejection(error, code)
        case "UnknownOperationException", "InvalidAction", "SerializationException", "UnknownOperation":
            return (.misconfigured, "the endpoint does not know \(operation.rawValue) (\(code)): is it a Parameter Store?", .never, true)
        default:
            return byStatus(response.status, code, subject, place)
        }
    }

    private static func rejection(_ error: ServiceError, _ code: String) -> Verdict {
        if error.isTooLong {
            return (.rejected, "the value is too long for its tier: 4 KB fit `tier: standard`, 8 KB `advanced` or `intelligent`", .never, false)
        }
        if error.isTierFixed {
            return (.rejected, "the parameter is of tier advanced and stays so: set `tier: intelligent` or `advanced`, or delete the credential first", .never, false)
        }
        return (.rejected, "AWS does not take it (\(code)): is `kms_key` of the form alias/NAME, an id or an ARN, and `prefix` a path that AWS has not reserved?", .never, false)
    }

    /// Names action, resource and who asked: as AWS says them, else as we know them.
    private static func denial(_ error: ServiceError, _ operation: ParameterStoreOperation, _ subject: String, _ place: ParameterStorePlace) -> String {
        let who = error.identity.map { " to \($0)" } ?? ""
        let what = error.resource.flatMap { $0 == "*" ? nil : $0 } ?? subject
        guard error.isKMS else {
            return "AWS does not allow \(error.action ?? operation.action) on \(what)\(who): allow it in the IAM policy of the gateway's role"
        }
        let action = error.action ?? (operation == .putParameter ? "kms:Encrypt and kms:GenerateDataKey" : "kms:Decrypt")
        let key = operation == .putParameter ? "`kms_key`" : "the key the value was encrypted with, `kms_key` as a rule,"
        let remedy = "allow it in the IAM policy and the key's own policy; \(key) must be there, enabled, in \(place.region)"
        return "AWS does not allow \(action) on \(what)\(who): \(remedy)"
    }

    private static func clock(_ response: OutboundResponse, _ now: Int64) -> Verdict {
        let skew = response["date"].flatMap(HTTPDate.seconds).map { abs($0 - now) }
        if let skew, skew < 60 {
            let remedy = "was the clock just set, or are calls held up on their way?"
            return (.denied, "AWS does not take the signature's time, though its clock and this machine's agree now: \(remedy)", .afterPause, true)
        }
        let amount = skew.map { " by \($0) s" } ?? ""
        return (.denied, "this machine's clock differs from AWS's\(amount), and signatures are not taken: set the clock (NTP)", .afterPause, true)
    }

    private static func byStatus(_ status: Int, _ code: String, _ subject: String, _ place: ParameterStorePlace) -> Verdict {
        let said = code.isEmpty ? "status \(status)" : "\(code), status \(status)"
        switch status {
        case 429:
            return (.throttled, "too many calls (\(said)): lower `reads` or `writes`, or raise the account's throughput", .afterPause, true)
        case 408, 500...:
            let remedy = "AWS's faults pass; where this lasts, see AWS's health dashboard, and what stands in between"
            return (.unavailable, "it failed (\(said)): \(remedy)", .afterPause, true)
        case 401, 403, 407:
            let remedy = "see the role's IAM policy, and any proxy and VPC endpoint policy"
            return (.denied, "AWS, or something on the way to it, does not let the gateway ask for \(subject) (\(said)): \(remedy)", .never, true)
        case 413:
            return (.rejected, "the value is too long (\(said))", .never, false)
        case 400:
            let remedy = "is the endpoint Parameter Store's of \(place.region)? AWS's documentation tells of the code"
            return (.unavailable, "it refuses \(subject) for a reason the gateway does not know (\(said)): \(remedy)", .never, false)
        default:
            return (.misconfigured, "there is no Parameter Store at the endpoint (\(said)): check `region` and `endpoint`", .never, true)
        }
    }
}
