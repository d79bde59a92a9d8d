// The pages' templates by name: mustache, compiled in, so that one binary has them all.

enum PageTemplate: String, CaseIterable {
    // Parts.
    case top, bottom, key, stateMark, serverCard, pager, picture
    // Pages for people.
    case address, code, toProvider, servers, finish, finished, leaving, notice
    // Pages for administrators.
    case adminTop, adminBottom, adminProjects, adminLinks, adminLinkForm, adminLinkReview, adminLinkMade, adminLink, adminUsers, adminUser
    case adminServers, adminNavigators, adminAudit, adminConfirm, adminEnter

    var text: String {
        switch self {
        case .top: PageTemplate.topText
        case .bottom: PageTemplate.bottomText
        case .key: PageTemplate.keyText
        case .stateMark: PageTemplate.stateMarkText
        case .serverCard: PageTemplate.serverCardText
        case .pager: PageTemplate.pagerText
        case .picture: PageTemplate.pictureText
        case .address: PageTemplate.addressText
        case .code: PageTemplate.codeText
        case .toProvider: PageTemplate.toProviderText
        case .servers: PageTemplate.serversText
        case .finish: PageTemplate.finishText
        case .finished: PageTemplate.finishedText
        case .leaving: PageTemplate.leavingText
        case .notice: PageTemplate.noticeText
        case .adminTop: PageTemplate.adminTopText
        case .adminBottom: PageTemplate.adminBottomText
        case .adminProjects: PageTemplate.adminProjectsText
        case .adminLinks: PageTemplate.adminLinksText
        case .adminLinkForm: PageTemplate.adminLinkFormText
        case .adminLinkReview: PageTemplate.adminLinkReviewText
        case .adminLinkMade: PageTemplate.adminLinkMadeText
        case .adminLink: PageTemplate.adminLinkText
        case .adminUsers: PageTemplate.adminUsersText
        case .adminUser: PageTemplate.adminUserText
        case .adminServers: PageTemplate.adminServersText
        case .adminNavigators: PageTemplate.adminNavigatorsText
        case .adminAudit: PageTemplate.adminAuditText
        case .adminConfirm: PageTemplate.adminConfirmText
        case .adminEnter: PageTemplate.adminEnterText
        }
    }
}

// What pages have in common.
extension PageTemplate {
    static let topText = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="robots" content="noindex">
        {{#refresh}}<meta http-equiv="refresh" content="1;url={{refresh}}">{{/refresh}}
        <title>{{title}} · {{house}}</title>
        <link rel="stylesheet" href="{{css}}">
        <link rel="icon" type="image/svg+xml" href="/connect/key.svg">
        </head>
        <body>
        <a class="skip" href="#content">To the content</a>
        <div class="sheet{{#wide}} wide{{/wide}}">
        <header class="top">{{> key}}<span><strong>{{house}}</strong>{{#subtitle}} · {{subtitle}}{{/subtitle}}</span>
        {{#who}}<span class="who">{{who}}<br><form method="post" action="{{signOut}}"><input type="hidden" name="csrf" value="{{csrf}}"><button class="plain">Not you?</button></form></span>{{/who}}
        </header>
        <main id="content">

        """

    static let bottomText = """
        </main>
        {{#promise}}<footer class="foot">{{> key}}<span>{{promise}}</span></footer>{{/promise}}
        </div>
        </body>
        </html>

        """

    static let keyText = """
        <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round" \
        aria-hidden="true"><circle cx="8" cy="8" r="4.6"/><path d="m11.4 11.4 9 9M16.2 16.2l2.6-2.6M19.3 19.3l1.7-1.7"/></svg>
        """

    /// A state is a word, a shape and a colour: a filled disc, a ring, an open half, a cross.
    static let stateMarkText = """
        <span class="state {{tone}}"><svg viewBox="0 0 12 12" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" aria-hidden="true">\
        {{#isDisc}}<circle cx="6" cy="6" r="4" fill="currentColor"/>{{/isDisc}}{{#isRing}}<circle cx="6" cy="6" r="4"/>{{/isRing}}\
        {{#isTurn}}<path d="M10 6a4 4 0 1 1-1.4-3M9 .8V3.4H6.4"/>{{/isTurn}}{{#isCross}}<path d="m2.5 2.5 7 7m0-7-7 7"/>{{/isCross}}\
        {{#isPause}}<path d="M4 2.5v7m4-7v7"/>{{/isPause}}</svg>{{state}}</span>
        """

    static let icon = """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#b08a35" stroke-width="2.2" stroke-linecap="round" \
        stroke-linejoin="round"><circle cx="8" cy="8" r="4.6"/><path d="m11.4 11.4 9 9M16.2 16.2l2.6-2.6M19.3 19.3l1.7-1.7"/></svg>
        """
}
