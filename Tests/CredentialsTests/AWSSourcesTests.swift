// What each source asks, and what it makes of the answers.

@testable import Credentials
import Gateway
import Kernel
import Outbound
import Synchronization
import Testing

@Suite struct AWSSourcesTests {
    // MARK: Web identity

    private static let identity = ["AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": "arn:aws:iam::1:role/web"]

    @Test func `a web identity token is read anew and sent unsigned`() async throws {
        let world = AWSWorld(AWSSourcesTests.identity.merging(["AWS_ROLE_SESSION_NAME": "me"]) { $1 }, files: ["/token": "a.b-c_d=\n"])
        let source = try AWSSourceOrder(world.around, region: "eu-central-1").choose()
        world.answer(roleJSON(action: "AssumeRoleWithWebIdentity"))
        let grant = try await source.grant()
        #expect(grant.source == "web identity token /token (role arn:aws:iam::1:role/web)")
        #expect(grant.credentials.sessionToken?.text == "role-token")
        let request = try #require(world.requests.first)
        #expect(request.signature == nil)
        #expect(
            request.body?.text
                == "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fweb&RoleSessionName=me&WebIdentityToken=a.b-c_d%3D")
        world.change { $0.files["/token"] = "second" }
        world.answer(roleJSON())
        _ = try await source.grant()
        #expect(world.requests.last?.body?.text.hasSuffix("WebIdentityToken=second") == true)
    }

    @Test func `XML is understood as well`() async throws {
        let world = AWSWorld(AWSSourcesTests.identity, files: ["/token": "t"])
        world.answer(
            """
            <AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>
            <SessionToken>x/y+z==</SessionToken><SecretAccessKey>s</SecretAccessKey><Expiration>2023-11-14T23:13:20Z</Expiration><AccessKeyId>ASIAXML</AccessKeyId>
            </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>
            """)
        let credentials = try await world.grant().credentials
        #expect(credentials.accessKey == "ASIAXML")
        #expect(credentials.sessionToken?.text == "x/y+z==")
        #expect(credentials.expires == 1_700_003_600)
    }

    @Test(arguments: [(nil, "there is no file /token"), (" \n", "/token is empty"), ("two\nlines", "/token holds no token"), ("caf\u{e9}", "/token holds no token")])
    func `a token file that holds none is named`(content: String?, words: String) async throws {
        let world = AWSWorld(AWSSourcesTests.identity, files: content.map { ["/token": $0] } ?? [:])
        let fault = try #require(await world.fault())
        #expect(fault.description.hasSuffix(words))
        #expect(fault.isPassing)
        #expect(world.requests.isEmpty)
    }

    @Test func `the profile says what the environment leaves open`() async throws {
        let world = AWSWorld(
            ["AWS_ROLE_ARN": "arn:env"],
            files: ["/home/gate/.aws/config": "[default]\nweb_identity_token_file=/token\nrole_arn=arn:profile\nrole_session_name=p\n", "/token": "t"])
        world.answer(roleJSON())
        #expect(try await world.grant().source == "web identity token /token (role arn:env)")
        #expect(world.requests.first?.body?.text.contains("RoleSessionName=p&") == true)
    }

    // MARK: What services refuse

    @Test(arguments: [
        (403, #"{"Error":{"Code":"AccessDenied","Message":"User: arn:aws:iam::1:user/u is not authorized to perform: sts:AssumeRole"},"RequestId":"x"}"#,
         "answered 403 AccessDenied: User: arn:aws:iam::1:user/u is not authorized to perform: sts:AssumeRole", false),
        (400, "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredTokenException</Code><Message>Token secret-token expired</Message></Error></ErrorResponse>",
         "answered 400 ExpiredTokenException: the token that vouches has expired: whoever writes it must renew it", false),
        (403, #"{"Error":{"Code":"SignatureDoesNotMatch","Message":"The Canonical String was 'x-amz-security-token:secret-token'"}}"#,
         "answered 403 SignatureDoesNotMatch: the secret key", false),
        (400, #"{"Error":{"Code":"Throttling","Message":"Rate exceeded"}}"#, "answered 400 Throttling", true),
        (400, #"{"Error":{"Code":"IDPCommunicationError"}}"#, "answered 400 IDPCommunicationError", true),
        (503, "upstream secret-token unavailable", "answered 503", true), (429, "", "answered 429", true), (404, "{}", "answered 404", false),
        (200, "{}", "the answer holds no credentials", true), (200, "secret-token", "the answer is neither JSON nor XML", true),
        (200, #"{"AccessKeyId":"A","SecretAccessKey":"s"}"#, "the answer does not say until when", true),
    ])
    func `a refusal is said by its code, without what it may quote`(status: Int, body: String, words: String, isPassing: Bool) async throws {
        let world = AWSWorld(AWSSourcesTests.identity, files: ["/token": "secret-token"])
        world.answer(body, status: status)
        world.answer(body, status: status)
        let fault = try #require(await world.fault())
        #expect(fault.description.hasPrefix("web identity token /token (role arn:aws:iam::1:role/web): https://sts.eu-central-1.amazonaws.com: \(words)"), "\(fault)")
        #expect(!fault.description.contains("secret-token"))
        #expect(fault.isPassing == isPassing)
        // What may pass is asked once more.
        #expect(world.requests.count == (isPassing && status != 200 ? 2 : 1))
    }

    @Test func `no answer is asked for once more; an untrusted one is not`() async throws {
        let world = AWSWorld(AWSSourcesTests.identity, files: ["/token": "t"])
        world.fail(.broken)
        world.answer(roleJSON())
        #expect(try await world.grant().credentials.accessKey == "ASIAROLE")
        world.fail(.untrusted)
        #expect(await world.fault()?.isPassing == false)
        #expect(world.requests.count == 3)
    }

    // MARK: Containers

    @Test func `a relative URI leads to ECS's own address, past any proxy`() async throws {
        let world = AWSWorld(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/x", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://evil/"])
        world.answer(metadataJSON())
        let grant = try await world.grant()
        #expect(grant.credentials.secretKey.text == "meta/secret")
        #expect(grant.credentials.expires == 1_700_003_600)
        let request = try #require(world.requests.first)
        #expect(request.url == "http://169.254.170.2/v2/credentials/x")
        #expect(!request.usesProxy)
        #expect(request.field("Authorization") == nil)
    }

    @Test func `the token comes from the file, anew each time, else from the variable`() async throws {
        let world = AWSWorld(
            [
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://[fd00:ec2::23]/v1", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/t",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": "variable",
            ], files: ["/t": "file\n"])
        world.answer(metadataJSON())
        #expect(try await world.grant().source == "container endpoint fd00:ec2::23")
        #expect(world.requests.first?.field("Authorization") == "file")
        world.change { $0.environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = nil }
        world.answer(metadataJSON())
        _ = try await world.grant()
        #expect(world.requests.last?.field("Authorization") == "variable")
        world.change { $0.environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "a\r\nX: y" }
        #expect(await world.fault()?.description.contains("control character") == true)
    }

    @Test(arguments: [
        "http://169.254.170.2/x", "http://169.254.170.23:80/x", "http://127.0.0.1:1/x", "http://127.255.0.9", "http://localhost:8080/x?y", "http://LOCALHOST/", "http://[::1]:1/",
        "https://creds.example.com/x",
    ])
    func `a full URI may lead to this machine, to AWS's addresses, or anywhere by https`(url: String) async throws {
        let world = AWSWorld(["AWS_CONTAINER_CREDENTIALS_FULL_URI": url])
        world.answer(metadataJSON())
        _ = try await world.grant()
        #expect(world.requests.first?.url == url)
        #expect(world.requests.first?.usesProxy == url.hasPrefix("https://creds"))
    }

    @Test(arguments: [
        "http://169.254.169.254/x", "http://creds.example.com/x", "http://localhost@evil/x", "http://localhost.evil/x", "http://127.0.0.1.evil/", "http://127.1/", "http://127.0.0.256/",
        "http://evil\\@localhost/", "http://evil#@localhost/", "http:///x", "ftp://localhost/", "localhost/x", "http://[::2]/", "HTTP://localhost/",
    ])
    func `nowhere else`(url: String) async throws {
        let world = AWSWorld(["AWS_CONTAINER_CREDENTIALS_FULL_URI": url])
        #expect(await world.fault()?.description.hasPrefix("AWS_CONTAINER_CREDENTIALS_FULL_URI") == true)
        #expect(world.requests.isEmpty)
    }

    // MARK: Instance metadata

    @Test func `instance metadata: a token by PUT, the role, its credentials, in short time and past any proxy`() async throws {
        let world = AWSWorld()
        for body in ["the-token", "gateway\nother\n", metadataJSON()] { world.answer(body) }
        #expect(try await world.grant().source == "instance metadata (role gateway)")
        let requests = world.requests
        #expect(requests.map(\.method) == [.put, .get, .get])
        #expect(
            requests.map(\.url) == [
                "http://169.254.169.254/latest/api/token", "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
                "http://169.254.169.254/latest/meta-data/iam/security-credentials/gateway",
            ])
        #expect(requests[0].field("x-aws-ec2-metadata-token-ttl-seconds") == "300")
        #expect(requests[1...].allSatisfy { $0.field("x-aws-ec2-metadata-token") == "the-token" })
        #expect(requests.allSatisfy { !$0.usesProxy && $0.limits.time == .seconds(1) })
    }

    @Test func `its endpoint, time and attempts are configured by variables or the profile`() async throws {
        let world = AWSWorld(
            ["AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://meta:1/", "AWS_METADATA_SERVICE_TIMEOUT": "5"],
            files: ["/home/gate/.aws/config": "[default]\nmetadata_service_num_attempts=3\nec2_metadata_service_endpoint=http://no/\n"])
        world.fail(.timedOut)
        world.fail(.timedOut)
        for body in ["the-token", "gateway", metadataJSON()] { world.answer(body) }
        _ = try await world.grant()
        #expect(world.requests.count == 5)
        #expect(world.requests.first?.url == "http://meta:1/latest/api/token")
        #expect(world.requests.first?.limits.time == .seconds(5))
        let six = AWSWorld(["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "ipv6"])
        _ = await six.fault()
        #expect(six.requests.first?.url == "http://[fd00:ec2::254]/latest/api/token")
        for (name, value) in [
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ipv5"), ("AWS_METADATA_SERVICE_TIMEOUT", "0"), ("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "many"),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "169.254.169.254"),
        ] {
            #expect(await AWSWorld([name: value]).fault()?.description.hasPrefix(name) == true)
        }
    }

    @Test func `an instance without a role, and one whose role gives nothing, say so`() async throws {
        let bare = AWSWorld()
        bare.answer("token")
        bare.answer("<html>404</html>", status: 404)
        #expect(await bare.fault()?.description == "instance metadata (http://169.254.169.254): the instance has no role: attach an instance profile to it")
        let odd = AWSWorld()
        odd.answer("token")
        odd.answer("../../x")
        #expect(await odd.fault()?.description.contains("names no role") == true)
        #expect(odd.requests.count == 2)
        let failed = AWSWorld()
        for body in ["token", "gateway", #"{"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume the role gateway."}"#] { failed.answer(body) }
        #expect(await failed.fault()?.description == "instance metadata (role gateway): answered AssumeRoleUnauthorizedAccess")
    }

    // MARK: Programs

    private func program(_ output: String, _ command: String = "/opt/get --for 'a b'") -> AWSWorld {
        let world = AWSWorld(["NOTIFY_SOCKET": "/run/n", "LISTEN_FDS": "3", "PATH": "/bin"], files: ["/home/gate/.aws/config": "[default]\ncredential_process = \(command)\n"])
        world.change { $0.output = .success(output) }
        return world
    }

    @Test func `a program's words are split, and what it prints is taken`() async throws {
        let world = program(#"{"Version": 1, "AccessKeyId": "ASIA", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": "2023-11-14T23:13:20+00:00"}"#)
        let grant = try await world.grant()
        #expect(grant.source == "credential_process of profile default")
        #expect(grant.credentials.secretKey.text == "s")
        #expect(grant.credentials.sessionToken?.text == "t")
        #expect(grant.credentials.expires == 1_700_003_600)
        #expect(world.state.withLock { $0.programs } == [["/opt/get", "--for", "a b"]])
        #expect(world.state.withLock { $0.programEnvironment } == ["PATH": "/bin", "HOME": "/home/gate"])
        #expect(try await program(#"{"Version":1,"AccessKeyId":"A","SecretAccessKey":"s"}"#).grant().credentials.expires == nil)
    }

    @Test(arguments: [
        ("oops secret", "what it prints is no JSON"), (#"{"AccessKeyId":"A","SecretAccessKey":"secret"}"#, "it prints no Version 1"),
        (#"{"Version":2,"AccessKeyId":"A","SecretAccessKey":"secret"}"#, "it prints no Version 1"), (#"{"Version":1,"AccessKeyId":"A"}"#, "it prints no AccessKeyId and SecretAccessKey"),
        (#"{"Version":1,"AccessKeyId":"A","SecretAccessKey":"secret","Expiration":"soon"}"#, "its Expiration is no time"),
    ])
    func `a program that prints anything else is named, its output is not`(output: String, words: String) async throws {
        let fault = try #require(await program(output).fault())
        #expect(fault.description.hasPrefix("credential_process of profile default: \(words)"))
        #expect(!fault.description.contains("secret"))
    }

    @Test func `a program that fails may be run again`() async throws {
        let world = program("")
        world.change { $0.output = .failure(AWSProgramFault("it ended with exit status 3")) }
        let fault = try #require(await world.fault())
        #expect(fault.isPassing)
        #expect(fault.description.hasPrefix("credential_process of profile default: it ended with exit status 3"))
    }
}
