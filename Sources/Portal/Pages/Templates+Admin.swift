// The pages for administrators: one table each, states as words with a shape, and every change said before it is made.

extension PageTemplate {
    static let adminTopText = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="robots" content="noindex">
        <title>{{title}} · {{house}}</title>
        <link rel="stylesheet" href="{{css}}">
        <link rel="icon" type="image/svg+xml" href="/connect/key.svg">
        </head>
        <body>
        <a class="skip" href="#content">To the content</a>
        <div class="sheet wide">
        <header class="top"><a href="/admin" aria-label="Claviger, all projects">{{> key}}</a><span><strong>Claviger</strong>{{#project}} · {{house}}{{/project}}</span>
        <span class="who">{{who}}<br><form method="post" action="/admin/_sign-out"><input type="hidden" name="csrf" value="{{csrf}}"><button class="plain">Sign out</button></form></span>
        </header>
        {{#hasTabs}}<nav class="tabs" aria-label="{{house}}">{{#tabs}}<a href="{{href}}"{{#here}} aria-current="page"{{/here}}>{{label}}</a>{{/tabs}}</nav>{{/hasTabs}}
        <main id="content">
        {{#told}}<div class="good" role="status"><strong>{{told}}</strong>{{#toldWords}}<p>{{toldWords}}</p>{{/toldWords}}</div>{{/told}}
        {{#problem}}<div class="error" role="alert"><strong>{{problem}}</strong>{{#problemWords}}<p>{{problemWords}}</p>{{/problemWords}}</div>{{/problem}}

        """

    /// Beside a server's name, which says all there is to hear.
    static let pictureText = """
        {{#icon}}<img class="picture" src="{{icon}}" alt="" width="24" height="24">{{/icon}}
        """

    /// Below a list that has more rows than a page.
    static let pagerText = """
        {{#pager}}<nav class="row" aria-label="Pages of this list"><span class="hint">{{shown}}</span>{{#first}}<a class="button quiet" href="{{first}}">First page</a>{{/first}}{{#next}}<a class="button quiet" href="{{next}}" rel="next">Next page</a>{{/next}}</nav>{{/pager}}
        """

    static let adminBottomText = """
        </main>
        </div>
        </body>
        </html>

        """

    static let adminProjectsText = """
        {{> adminTop}}
        <h1>Projects</h1>
        <p class="lead">{{lead}}</p>
        {{#hasRows}}<div class="card scroll" role="region" tabindex="0" aria-label="Projects"><table><caption class="hidden">Projects</caption><thead><tr><th scope="col">Project</th><th scope="col" class="num">Servers</th><th scope="col" class="num">Navigators</th><th scope="col" class="num">People</th><th scope="col" class="num">Active links</th></tr></thead><tbody>
        {{#rows}}<tr><th scope="row"><a href="/admin/{{name}}/users">{{title}}</a></th><td class="num">{{servers}}</td><td class="num">{{navigators}}</td><td class="num">{{people}}</td><td class="num">{{links}}</td></tr>
        {{/rows}}</tbody></table></div>{{/hasRows}}
        {{> adminBottom}}
        """

    static let adminLinksText = """
        {{> adminTop}}
        <div class="head"><div><h1>Links</h1><p class="lead">{{lead}}</p></div><div class="row"><a class="button" href="{{base}}/links/new">New link</a></div></div>
        {{#standing}}<section class="card"><h2>The standing link</h2><p class="hint">For {{domains}}. It never ends and follows the project’s servers; a missing key’s refusal points there.</p><code class="copy">{{url}}</code></section>{{/standing}}
        {{#hasRows}}<div class="card scroll" role="region" tabindex="0" aria-label="Links, active and ended"><table><caption class="hidden">Links, active and ended</caption><thead><tr><th scope="col">For</th><th scope="col">Type</th><th scope="col">Servers</th><th scope="col">State</th><th scope="col">Expires</th><th scope="col" class="num">People</th><th scope="col">Last used</th></tr></thead><tbody>
        {{#rows}}<tr><th scope="row"><a href="{{href}}">{{restriction}}</a></th><td>{{type}}</td><td>{{servers}}</td><td>{{> stateMark}}</td><td>{{expires}}</td><td class="num">{{people}}</td><td>{{used}}</td></tr>
        {{/rows}}</tbody></table></div>{{/hasRows}}
        {{> pager}}
        {{^hasLinks}}<section class="card empty"><h2>No links yet</h2><p>A link lets people connect their own accounts, or one person connect a service for everybody. You choose who may use it and for how long.</p><a class="button" href="{{base}}/links/new">Make a link</a></section>{{/hasLinks}}
        {{> adminBottom}}
        """

    static let adminLinkFormText = """
        {{> adminTop}}
        <h1>{{headline}}</h1>
        <p class="lead">{{lead}}</p>
        <form class="card" method="post" action="{{action}}"><input type="hidden" name="csrf" value="{{csrf}}">
        {{#isNew}}<fieldset><legend>What is it for?</legend>
        <label class="choice"><input type="radio" class="tick" name="type" value="user"{{#isUser}} checked{{/isUser}}><span>People connect their own accounts<span class="hint">For everybody with an address of a domain. Used as often as they like.</span></span></label>
        <label class="choice"><input type="radio" class="tick" name="type" value="project"{{^isUser}} checked{{/isUser}}><span>One person connects services for everybody<span class="hint">For exactly one address. Works once.</span></span></label></fieldset>
        <fieldset><legend>Which servers?</legend>
        {{#servers}}<label class="choice"><input type="checkbox" class="tick" name="server" value="{{name}}"{{#chosen}} checked{{/chosen}}><span>{{title}}<span class="hint">{{words}}</span></span></label>{{/servers}}
        {{^servers}}<p class="hint">No server of this project needs anything to be connected.</p>{{/servers}}</fieldset>{{/isNew}}
        <div class="two">
        {{#asksDomain}}<div class="field"><label for="domain">Domain</label><input type="text" id="domain" name="domain" value="{{domain}}" autocapitalize="none" autocorrect="off" spellcheck="false" autocomplete="off" aria-describedby="domain-help"><p class="hint" id="domain-help">For accounts of their own: <code>acme.com</code> lets in everybody @acme.com, and nobody of a subdomain.</p></div>{{/asksDomain}}
        {{#asksEmail}}<div class="field"><label for="email">Email address</label><input type="text" inputmode="email" id="email" name="email" value="{{email}}" autocapitalize="none" autocorrect="off" spellcheck="false" autocomplete="off" aria-describedby="email-help"><p class="hint" id="email-help">For services of everybody: the one person who may use it.</p></div>{{/asksEmail}}
        <div class="field"><label for="expires">Last day</label><input type="date" id="expires" name="expires" value="{{expires}}" min="{{today}}" required><p class="hint">It ends at the end of that day (UTC).</p></div>
        </div>
        <div class="row"><button>{{button}}</button><a class="button quiet" href="{{cancel}}">Cancel</a></div>
        </form>
        {{> adminBottom}}
        """

    static let adminLinkReviewText = """
        {{> adminTop}}
        <h1>Make this link?</h1>
        <section class="card preview"><dl class="facts"><dt>Who may use it</dt><dd>{{may}}</dd><dt>What they connect</dt><dd>{{what}}</dd><dt>For whom it counts</dt><dd>{{counts}}</dd><dt>How often</dt><dd>{{often}}</dd><dt>Until</dt><dd>{{until}}</dd></dl></section>
        <form class="row" method="post" action="{{action}}"><input type="hidden" name="csrf" value="{{csrf}}"><input type="hidden" name="confirmed" value="yes"><input type="hidden" name="type" value="{{type}}"><input type="hidden" name="domain" value="{{domain}}"><input type="hidden" name="email" value="{{email}}"><input type="hidden" name="expires" value="{{expires}}">
        {{#servers}}<input type="hidden" name="server" value="{{.}}">{{/servers}}<button>Make the link</button><a class="button quiet" href="{{cancel}}">Cancel</a></form>
        {{> adminBottom}}
        """

    static let adminLinkMadeText = """
        {{> adminTop}}
        <h1>{{headline}}</h1>
        <p class="lead">Send it to {{whom}}. It is shown here once: we keep only its fingerprint.</p>
        <section class="card"><code class="copy" tabindex="0">{{url}}</code><p class="hint">Click it to choose it whole, then copy. {{until}}</p></section>
        <div class="row"><a class="button quiet" href="{{href}}">I have copied it</a></div>
        {{> adminBottom}}
        """

    static let adminLinkText = """
        {{> adminTop}}
        <div class="head"><div><h1>{{restriction}}</h1><p class="lead">{{> stateMark}}</p></div><div class="row"><a class="button quiet" href="{{href}}/edit">Edit</a><a class="button quiet" href="{{href}}/renew">Renew</a><a class="button quiet" href="{{href}}/delete">Delete</a></div></div>
        <section class="card"><dl class="facts"><dt>Type</dt><dd>{{type}}</dd><dt>Servers</dt><dd>{{servers}}</dd><dt>Expires</dt><dd>{{expires}}</dd><dt>Made</dt><dd>{{made}}</dd><dt>Id</dt><dd><code>{{id}}</code></dd></dl></section>
        <h2 class="section">Who connected what</h2>
        {{#hasRows}}<div class="card scroll" role="region" tabindex="0" aria-label="Who connected what through this link"><table><caption class="hidden">Who connected what through this link</caption><thead><tr><th scope="col">Who</th><th scope="col">Server</th><th scope="col">When</th></tr></thead><tbody>
        {{#rows}}<tr><th scope="row">{{email}}</th><td>{{server}}</td><td class="when">{{when}}</td></tr>
        {{/rows}}</tbody></table></div>{{/hasRows}}{{^hasRows}}<p class="hint">Nobody yet.</p>{{/hasRows}}
        {{> pager}}
        {{> adminBottom}}
        """

    static let adminUsersText = """
        {{> adminTop}}
        <h1>Users</h1>
        <p class="lead">{{lead}}</p>
        {{#hasUsers}}<form class="filter" method="get" action="{{base}}/users" role="search">
        <div><label for="find">Find by the beginning of an address</label><input type="text" inputmode="email" id="find" name="find" value="{{find}}" maxlength="254" autocapitalize="none" autocorrect="off" spellcheck="false" autocomplete="off"></div>
        <button class="quiet">Find</button>{{#isFound}}<a class="button quiet" href="{{base}}/users">Show all</a>{{/isFound}}</form>
        {{#isFound}}<p class="hint" role="status">{{found}}</p>{{/isFound}}{{/hasUsers}}
        {{#hasRows}}<div class="card scroll" role="region" tabindex="0" aria-label="Users and what they have connected"><table><caption class="hidden">Users and what they have connected</caption><thead><tr><th scope="col">Email</th>{{#columns}}<th scope="col">{{.}}</th>{{/columns}}<th scope="col" class="num">Calls, 7 days</th><th scope="col">Last active</th></tr></thead><tbody>
        {{#rows}}<tr><th scope="row"><a href="{{href}}">{{email}}</a></th>{{#cells}}<td>{{> stateMark}}</td>{{/cells}}<td class="num">{{calls}}</td><td>{{active}}</td></tr>
        {{/rows}}</tbody></table></div>{{/hasRows}}
        {{> pager}}
        {{^hasUsers}}<section class="card empty"><h2>Nobody yet</h2><p>People appear here when they connect something, or when an agent first calls for them.</p><a class="button" href="{{base}}/links/new">Make a link for them</a></section>{{/hasUsers}}
        {{> adminBottom}}
        """

    static let adminUserText = """
        {{> adminTop}}
        <div class="head"><div><h1>{{email}}</h1><p class="lead">{{lead}}</p></div><div class="row"><a class="button quiet" href="{{href}}/delete">Delete user</a></div></div>
        <div class="card scroll" role="region" tabindex="0" aria-label="Servers of {{email}}"><table><caption class="hidden">Servers of {{email}}</caption><thead><tr><th scope="col">Server</th><th scope="col">State</th><th scope="col">Since</th><th scope="col"><span class="hidden">What can be done</span></th></tr></thead><tbody>
        {{#rows}}<tr><th scope="row">{{> picture}}{{title}}</th><td>{{> stateMark}}</td><td>{{since}}</td><td class="go">{{#revocable}}<a href="{{href}}/revoke/{{name}}">Revoke<span class="hidden"> {{title}}</span></a>{{/revocable}}</td></tr>
        {{/rows}}</tbody></table></div>
        {{> adminBottom}}
        """

    static let adminServersText = """
        {{> adminTop}}
        <h1>Servers</h1>
        <p class="lead">{{lead}}</p>
        <div class="card scroll" role="region" tabindex="0" aria-label="Servers of the project"><table><caption class="hidden">Servers of the project</caption><thead><tr><th scope="col">Server</th><th scope="col">How it is entered</th><th scope="col">Level</th><th scope="col">Status</th><th scope="col">Connected</th></tr></thead><tbody>
        {{#rows}}<tr><th scope="row">{{> picture}}{{title}}<p class="hint">{{origin}}</p></th><td>{{method}}</td><td>{{level}}</td><td>{{> stateMark}}</td><td>{{#connected}}{{connected}}{{/connected}}</td></tr>
        {{/rows}}</tbody></table></div>
        {{> adminBottom}}
        """

    static let adminNavigatorsText = """
        {{> adminTop}}
        <h1>Navigators</h1>
        <p class="lead">{{lead}}</p>
        {{#navigators}}<section class="card"><h2>{{name}}</h2><p class="hint">{{speaks}}{{#denied}} It may not reach {{denied}}.{{/denied}}</p>
        {{#hasKeys}}<div class="scroll" role="region" tabindex="0" aria-label="Keys of {{name}}"><table><caption class="hidden">Keys of {{name}}</caption><thead><tr><th scope="col">Key</th><th scope="col">Note</th><th scope="col">State</th><th scope="col">Expires</th><th scope="col">Last used</th></tr></thead><tbody>
        {{#keys}}<tr><th scope="row"><code>ck_{{id}}.…</code></th><td>{{note}}</td><td>{{> stateMark}}</td><td>{{expires}}</td><td>{{used}}</td></tr>
        {{/keys}}</tbody></table></div>{{/hasKeys}}{{^hasKeys}}<p>It has no keys: nobody can call as it.</p>{{/hasKeys}}</section>{{/navigators}}
        {{> adminBottom}}
        """

    static let adminAuditText = """
        {{> adminTop}}
        <h1>Audit</h1>
        <p class="lead">Who changed what, for whom, when and from where. Rows are kept for {{keep}}.</p>
        <form class="filter" method="get" action="{{base}}/audit">
        <div><label for="who">For whom</label><input type="text" inputmode="email" id="who" name="user" value="{{user}}" autocapitalize="none" spellcheck="false"></div>
        <div><label for="what">What</label><select id="what" name="action"><option value="">Everything</option>{{#actions}}<option value="{{value}}"{{#chosen}} selected{{/chosen}}>{{label}}</option>{{/actions}}</select></div>
        <div><label for="where">Server</label>{{^namesServers}}<input type="text" id="where" name="server" value="{{server}}" autocapitalize="none" spellcheck="false">{{/namesServers}}{{#namesServers}}<select id="where" name="server"><option value="">Every server</option>{{#servers}}<option value="{{value}}"{{#chosen}} selected{{/chosen}}>{{label}}</option>{{/servers}}</select>{{/namesServers}}</div>
        <button class="quiet">Filter</button></form>
        {{#hasRows}}<div class="card scroll" role="region" tabindex="0" aria-label="Audit, newest first"><table><caption class="hidden">Audit, newest first</caption><thead><tr><th scope="col">When</th><th scope="col">Who</th><th scope="col">What</th><th scope="col">For whom</th><th scope="col">Server</th><th scope="col">From</th></tr></thead><tbody>
        {{#rows}}<tr><td class="when">{{when}}</td><td>{{actor}}</td><td>{{action}}{{#detail}}<p class="hint">{{detail}}</p>{{/detail}}</td><td>{{user}}</td><td>{{server}}</td><td>{{source}}</td></tr>
        {{/rows}}</tbody></table></div>{{/hasRows}}
        {{^hasRows}}<section class="card empty"><h2>Nothing matches</h2><p>Nothing was recorded that fits what you asked for.</p></section>{{/hasRows}}
        {{> pager}}
        {{> adminBottom}}
        """

    static let adminConfirmText = """
        {{> adminTop}}
        <h1>{{headline}}</h1>
        <section class="card"><p>{{words}}</p>
        <form method="post" action="{{action}}"><input type="hidden" name="csrf" value="{{csrf}}">
        <div class="row"><button class="{{tone}}">{{button}}</button><a class="button quiet" href="{{cancel}}">Cancel</a></div></form></section>
        {{> adminBottom}}
        """

    static let adminEnterText = """
        {{> top}}
        <h1>Sign in to the administration</h1>
        <p class="lead">This link signs you in once, in this browser.</p>
        <form class="card" method="post" action="{{action}}"><input type="hidden" name="csrf" value="{{csrf}}"><p>If you did not ask for it, close this page.</p><div class="row"><button>Sign in</button></div></form>
        {{> bottom}}
        """
}
