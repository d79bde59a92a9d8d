// Certificates that are renewed while the daemon runs: their files are looked at every few seconds, off the workers.

internal import Kernel
internal import Logging
internal import Proxy

struct CertificateWatch {
    let fleet: Fleet
    let logger: Logger

    /// A look is one `stat` for each file.
    private static let interval = Duration.seconds(5)

    /// Until its task is cancelled.
    func keepTime() async {
        var reminder = CertificateReminder(now: WallClock.milliseconds() / 1000)
        while (try? await Task.sleep(for: CertificateWatch.interval)) != nil {
            for renewal in fleet.renewCertificates() {
                if let fault = renewal.fault {
                    logger.warning("the certificates of \(renewal.owner) changed and cannot be used, those read before stay in force: \(fault)")
                } else {
                    logger.notice("the certificates of \(renewal.owner) changed: the new ones are in force for new connections")
                }
            }
            for line in reminder.lines(of: fleet.certificateExpiries, now: WallClock.milliseconds() / 1000) { logger.warning("\(line)") }
        }
    }
}
