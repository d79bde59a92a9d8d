// Which source is in force, and what is said where one is configured wrongly.

@testable import Credentials
import Gateway
import Kernel
import Outbound
import Testing

@Suite struct AWSSourceOrderTests {
    private static let keys = ["AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "env-secret"]
    private static let config = "/home/gate/.aws/config"
    private static let credentials = "/home/gate/.aws/credentials"
    private static let identity = ["AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": "arn:aws:iam::1:role/web"]
    private static let container = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x"]

    /// The sources in their order, each as it is configured; the last needs nothing.
    private static let order: [(name: String, environment: [String: String], config: String, credentials: String)] = [
        ("AKIAENV", keys, "", ""),
        ("role arn:aws:iam::1:role/deep", [:], "role_arn=arn:aws:iam::1:role/deep\nsource_profile=base\n[profile base]\naws_access_key_id=AKIABASE\naws_secret_access_key=b\n", ""),
        ("web identity token /token", identity, "", ""),
        ("AKIAFILE", [:], "", "[default]\naws_access_key_id=AKIAFILE\naws_secret_access_key=f\n"),
        ("credential_process of profile default", [:], "credential_process=/bin/get\n", ""),
        ("AKIACONF", [:], "aws_access_key_id=AKIACONF\naws_secret_access_key=c\n", ""),
        ("container endpoint 169.254.170.2", container, "", ""),
        ("instance metadata (role gateway)", [:], "", ""),
    ]

    @Test func `each source counts before all that come after it`() async throws {
        for first in AWSSourceOrderTests.order.indices {
            var (environment, config, credentials) = ([String: String](), "[default]\n", "")
            for source in AWSSourceOrderTests.order[first...].reversed() {
                environment.merge(source.environment) { $1 }
                // A role's own profile follows: what is of the default profile stands before it.
                config = source.config.contains("[") ? config + source.config : config.replacing("[default]\n", with: "[default]\n" + source.config)
                credentials += source.credentials
            }
            let world = AWSWorld(
                environment, files: [AWSSourceOrderTests.config: config, AWSSourceOrderTests.credentials: credentials, "/token": "web.token\n"])
            world.change { $0.output = .success(#"{"Version":1,"AccessKeyId":"ASIAPROC","SecretAccessKey":"p"}"#) }
            let wanted = AWSSourceOrderTests.order[first].name
            if wanted.contains("instance") {
                world.answer("metadata-token")
                world.answer("gateway\n")
            }
            world.answer(wanted.contains("role arn") || wanted.contains("web") ? roleJSON() : metadataJSON())
            let grant = try await world.grant()
            #expect(grant.source.contains(wanted) || grant.credentials.accessKey == wanted, "\(wanted): \(grant.source)")
        }
    }

    @Test func `the environment's keys, its token, its expiry, and half of them`() async throws {
        let world = AWSWorld(AWSSourceOrderTests.keys.merging(["AWS_SESSION_TOKEN": "tok", "AWS_CREDENTIAL_EXPIRATION": "2023-11-14T22:13:20Z"]) { $1 })
        let grant = try await world.grant()
        #expect(grant.source == "environment")
        #expect(grant.credentials.secretKey.text == "env-secret")
        #expect(grant.credentials.sessionToken?.text == "tok")
        #expect(grant.credentials.expires == 1_700_000_000)
        let half = await AWSWorld(["AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": ""]).fault()
        #expect(half?.description.contains("AWS_SECRET_ACCESS_KEY is not") == true)
        #expect(half?.isPassing == false)
    }

    @Test func `the files' places and the profile are the environment's to say`() async throws {
        let world = AWSWorld(
            ["AWS_PROFILE": "ops", "AWS_CONFIG_FILE": "~/c", "AWS_SHARED_CREDENTIALS_FILE": "/s"],
            files: ["/home/gate/c": "[profile ops]\nregion=eu-west-1\n", "/s": "[ops]\naws_access_key_id=AKIAOPS\naws_secret_access_key=o\naws_session_token=t\n"])
        let grant = try await world.grant()
        #expect(grant.source == "profile ops of /s")
        #expect(grant.credentials.sessionToken?.text == "t")
        #expect(try AWSSettings(world.around).region == "eu-west-1")
        let nowhere = await AWSWorld(["AWS_PROFILE": "nobody"]).fault()
        #expect(try await AWSWorld(AWSSourceOrderTests.keys.merging(["AWS_PROFILE": "default"]) { $1 }).grant().source == "environment")
        #expect(nowhere?.description == "profile nobody, which AWS_PROFILE names, is not in /home/gate/.aws/config or /home/gate/.aws/credentials")
    }

    @Test func `a credentials file that everyone may read is warned of, a broken or closed one refused by its place`() async throws {
        let path = AWSSourceOrderTests.credentials
        let world = AWSWorld(files: [path: "[default]\naws_access_key_id=A\naws_secret_access_key=b\n"])
        _ = try await world.grant()
        #expect(world.warnings == [])
        world.change { $0.openFiles = [path] }
        _ = try await world.grant()
        _ = try AWSSettings(world.around)
        #expect(world.warnings.count == 1)
        #expect(world.warnings.first?.contains("chmod 600 \(path)") == true)
        #expect(await AWSWorld(files: [path: "[default]\nnonsense-that-is-secret\n"]).fault()?.description.hasPrefix("\(path):2: neither") == true)
        let half = await AWSWorld(files: [path: "[default]\naws_access_key_id=A\n"]).fault()
        #expect(half?.description == "profile default of \(path): aws_access_key_id without aws_secret_access_key")
        let closed = AWSWorld(["AWS_SHARED_CREDENTIALS_FILE": "/s"])
        closed.change { $0.unreadable = ["/s"] }
        #expect(await closed.fault()?.description == "/s (AWS_SHARED_CREDENTIALS_FILE) cannot be read: Permission denied")
        // One that nobody asked for is no fault.
        let home = AWSWorld(AWSSourceOrderTests.keys)
        home.change { $0.unreadable = [path, AWSSourceOrderTests.config] }
        #expect(try await home.grant().source == "environment")
    }

    @Test func `with nothing configured everything that was looked at is named`() async throws {
        let world = AWSWorld(["AWS_EC2_METADATA_DISABLED": "TRUE"])
        let fault = try #require(await world.fault())
        for word in ["AWS_ACCESS_KEY_ID", "profile default", "/home/gate/.aws/config", "AWS_WEB_IDENTITY_TOKEN_FILE", "RELATIVE_URI", "AWS_EC2_METADATA_DISABLED"] {
            #expect(fault.description.contains(word), "\(word)")
        }
        #expect(!fault.isPassing)
        #expect(world.requests.isEmpty)
    }

    // MARK: Roles

    private func role(_ config: String, _ environment: [String: String] = [:], credentials: String = "") -> AWSWorld {
        AWSWorld(environment, files: [AWSSourceOrderTests.config: config, AWSSourceOrderTests.credentials: credentials])
    }

    @Test func `a role is taken on with the source profile's keys, with everything the profile says`() async throws {
        let world = role(
            "[default]\nrole_arn=arn:aws:iam::1:role/a b\nsource_profile=base\nexternal_id=x&y\nrole_session_name=me\nduration_seconds=900\n",
            credentials: "[base]\naws_access_key_id=AKIABASE\naws_secret_access_key=b\n")
        world.answer(roleJSON())
        let grant = try await world.grant()
        #expect(grant.credentials.accessKey == "ASIAROLE")
        #expect(grant.credentials.secretKey.text == "role-secret")
        #expect(grant.credentials.sessionToken?.text == "role-token")
        #expect(grant.credentials.expires == 1_700_003_600)
        #expect(grant.source == "profile default (role arn:aws:iam::1:role/a b), as profile base of \(AWSSourceOrderTests.credentials)")
        let request = try #require(world.requests.first)
        #expect(request.url == "https://sts.eu-central-1.amazonaws.com/")
        #expect(request.method == .post)
        #expect(
            request.body?.text == "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fa%20b&RoleSessionName=me&DurationSeconds=900&ExternalId=x%26y")
        #expect(request.signature?.service == "sts")
        #expect(request.signature?.region == "eu-central-1")
        #expect(request.signature?.accessKey == "AKIABASE")
        #expect(request.signature?.sessionToken == nil)
    }

    @Test func `a chain of roles is walked from its end`() async throws {
        let world = role(
            "[default]\nrole_arn=arn:2\nsource_profile=middle\n[profile middle]\nrole_arn=arn:1\nsource_profile=base\n",
            credentials: "[base]\naws_access_key_id=AKIABASE\naws_secret_access_key=b\n")
        world.answer(roleJSON("ASIAONE"))
        world.answer(roleJSON("ASIATWO"))
        #expect(try await world.grant().credentials.accessKey == "ASIATWO")
        #expect(world.requests.map { $0.signature?.accessKey } == ["AKIABASE", "ASIAONE"])
        #expect(world.requests.last?.signature?.sessionToken?.text == "role-token")
    }

    @Test func `a profile may be its own source where it has keys`() async throws {
        let world = role("[default]\nrole_arn=arn:1\nsource_profile=default\naws_access_key_id=AKIAOWN\naws_secret_access_key=o\n")
        world.answer(roleJSON())
        _ = try await world.grant()
        #expect(world.requests.first?.signature?.accessKey == "AKIAOWN")
    }

    @Test func `credential sources of a role: container and instance`() async throws {
        let container = role("[default]\nrole_arn=arn:1\ncredential_source=EcsContainer\n", AWSSourceOrderTests.container)
        container.answer(metadataJSON())
        container.answer(roleJSON())
        #expect(try await container.grant().source == "profile default (role arn:1), as container endpoint 169.254.170.2")
        #expect(container.requests.last?.signature?.sessionToken?.text == "meta-token")
        let instance = role("[default]\nrole_arn=arn:1\ncredential_source=Ec2InstanceMetadata\n")
        for body in ["token", "gateway", metadataJSON(), roleJSON()] { instance.answer(body) }
        #expect(try await instance.grant().source == "profile default (role arn:1), as instance metadata (role gateway)")
    }

    @Test(arguments: [
        ("role_arn=r\n", "neither source_profile nor credential_source"),
        ("role_arn=r\nsource_profile=a\ncredential_source=Environment\n", "both source_profile and credential_source"),
        ("role_arn=r\ncredential_source=Elsewhere\n", "Environment, Ec2InstanceMetadata or EcsContainer"),
        ("role_arn=r\ncredential_source=EcsContainer\n", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        ("role_arn=r\nsource_profile=nobody\n", "profile nobody, which source_profile of profile default names, is not in /home/gate/.aws/config"),
        ("role_arn=r\nsource_profile=default\n", "in a circle: default → default"),
        ("role_arn=r\nsource_profile=a\n[profile a]\nrole_arn=s\nsource_profile=b\n[profile b]\nrole_arn=t\nsource_profile=default\n", "in a circle: default → a → b → default"),
        ("role_arn=r\nsource_profile=a\n[profile a]\nregion=x\n", "profile a, the source_profile of profile default, holds no credentials"),
        ("role_arn=r\nsource_profile=a\nmfa_serial=m\n", "one-time code (mfa_serial)"),
        ("role_arn=r\ncredential_source=Environment\nduration_seconds=60\n", "AWS_ACCESS_KEY_ID is not set"),
        ("role_arn=r\nsource_profile=a\nduration_seconds=60\n[profile a]\naws_access_key_id=A\naws_secret_access_key=b\n", "duration_seconds is a number from 900 to 43200"),
        ("sso_session=x\n", "credential_process = aws configure export-credentials --profile default"),
        ("sso_start_url=x\n", "signs a person in"),
        ("login_session=x\n", "signs a person in"),
        ("credential_process='x\n", "credential_process of profile default: a quote is not closed"),
        ("web_identity_token_file=/t\n", "set AWS_ROLE_ARN, or role_arn in the profile"),
    ])
    func `a profile that cannot be is refused by name, and nothing stands in for it`(config: String, words: String) async throws {
        let world = role("[default]\n" + config, AWSSourceOrderTests.container)
        if !config.contains("EcsContainer") { world.answer(metadataJSON()) }
        if config.contains("EcsContainer") { world.change { $0.environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = nil } }
        let fault = try #require(await world.fault())
        #expect(fault.description.contains(words), "\(fault)")
        #expect(!fault.isPassing)
        #expect(world.requests.isEmpty)
    }

    // MARK: Where services are

    @Test func `the security token service's endpoint is the region's, the legacy one, or the configured one`() async throws {
        let keys = "[base]\naws_access_key_id=AKIABASE\naws_secret_access_key=b\n"
        let config = "[default]\nrole_arn=r\nsource_profile=base\nregion=us-west-2\n"
        func asked(_ environment: [String: String], region: String? = nil, config: String = config) async throws -> String {
            let world = role(config, environment, credentials: keys)
            world.answer(roleJSON())
            _ = try await world.grant(region: region)
            let request = try #require(world.requests.first)
            #expect(request.usesProxy == request.url.hasPrefix("https://"))
            return "\(request.url) \(request.signature?.region ?? "")"
        }
        #expect(try await asked([:]) == "https://sts.us-west-2.amazonaws.com/ us-west-2")
        #expect(try await asked(["AWS_REGION": "cn-north-1"]) == "https://sts.cn-north-1.amazonaws.com.cn/ cn-north-1")
        #expect(try await asked(["AWS_DEFAULT_REGION": "eu-west-1"], region: "eu-west-3") == "https://sts.eu-west-3.amazonaws.com/ eu-west-3")
        #expect(try await asked(["AWS_STS_REGIONAL_ENDPOINTS": "legacy"]) == "https://sts.amazonaws.com/ us-east-1")
        #expect(try await asked(["AWS_STS_REGIONAL_ENDPOINTS": "legacy"], region: "eu-south-1") == "https://sts.eu-south-1.amazonaws.com/ eu-south-1")
        #expect(try await asked([:], config: config + "sts_regional_endpoints=legacy\n") == "https://sts.amazonaws.com/ us-east-1")
        #expect(try await asked(["AWS_USE_FIPS_ENDPOINT": "true"]) == "https://sts-fips.us-west-2.amazonaws.com/ us-west-2")
        #expect(try await asked(["AWS_USE_DUALSTACK_ENDPOINT": "true"]) == "https://sts.us-west-2.api.aws/ us-west-2")
        #expect(try await asked(["AWS_ENDPOINT_URL": "http://one/"]) == "http://one/ us-west-2")
        #expect(try await asked(["AWS_ENDPOINT_URL": "http://one", "AWS_ENDPOINT_URL_STS": "http://two"]) == "http://two/ us-west-2")
        #expect(try await asked(["AWS_ENDPOINT_URL": "http://one", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"]) == "https://sts.us-west-2.amazonaws.com/ us-west-2")
        #expect(try await asked([:], config: config + "endpoint_url=http://three\n") == "http://three/ us-west-2")
        #expect(
            try await asked([:], config: config + "endpoint_url=http://three\nservices=s\n[services s]\nsts=\n  endpoint_url=http://four\n") == "http://four/ us-west-2")
        let nowhere = await role("[default]\nrole_arn=r\nsource_profile=base\n", credentials: keys).fault(region: nil)
        #expect(nowhere?.description.contains("set AWS_REGION") == true)
        let odd = await role(config, ["AWS_REGION": "evil.example/"], credentials: keys).fault(region: nil)
        #expect(odd?.description.contains("AWS_REGION") == true)
    }

    @Test func `settings: region, authorities and endpoints of other services`() throws {
        let world = role("[default]\nregion=eu-west-1\nca_bundle=/p.pem\n")
        var settings = try AWSSettings(world.around)
        #expect(settings.region == "eu-west-1")
        #expect(settings.authorities == "/p.pem")
        #expect(settings.endpoint(of: "ssm", in: "eu-west-1") == "https://ssm.eu-west-1.amazonaws.com")
        world.change { $0.environment.merge(["AWS_REGION": "us-east-2", "AWS_CA_BUNDLE": "/e.pem", "AWS_ENDPOINT_URL_SSM": "http://moto:1"]) { $1 } }
        settings = try AWSSettings(world.around)
        #expect(settings.region == "us-east-2")
        #expect(settings.authorities == "/e.pem")
        #expect(settings.endpoint(of: "ssm", in: "us-east-2") == "http://moto:1")
    }
}
