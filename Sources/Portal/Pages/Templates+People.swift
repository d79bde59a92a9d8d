// The pages for people: proving an address, connecting servers, and every way in which that can end.

extension PageTemplate {
    static let addressText = """
        {{> top}}
        <h1>{{headline}}</h1>
        <p class="lead">{{lead}}</p>
        {{#trouble}}<div class="note"><strong>Mail is slow at the moment.</strong><p>Our mail server does not answer just now. A code may come late; if none comes, try again in a few minutes.</p></div>{{/trouble}}
        {{#offersCode}}<form class="card" method="post" action="{{base}}/_sign-in">
        <input type="hidden" name="csrf" value="{{csrf}}"><input type="hidden" name="server" value="{{focus}}">
        <div class="field"><label for="email">Your email address</label>
        <input type="email" id="email" name="email" autocomplete="email" inputmode="email" required maxlength="318" value="{{email}}"{{#error}} aria-invalid="true" aria-describedby="email-error"{{/error}}>
        {{#error}}<p class="error" id="email-error" role="alert">{{error}}</p>{{/error}}
        <p class="hint">{{hint}}</p></div>
        <div class="row"><button>Send me a code</button></div>
        </form>{{/offersCode}}
        {{#offersProvider}}<form class="card" method="post" action="{{base}}/_provider">
        <input type="hidden" name="csrf" value="{{csrf}}"><input type="hidden" name="server" value="{{focus}}">
        <p>Sign in as you do at work, with your company’s account.</p>
        {{#providerError}}<p class="error" role="alert">{{providerError}}</p>{{/providerError}}
        <div class="row"><button{{#offersCode}} class="quiet"{{/offersCode}}>Sign in with your company’s account</button></div>
        </form>{{/offersProvider}}
        {{^canSignIn}}<div class="note"><strong>Signing in is not set up here yet.</strong><p>Whoever runs this gateway has to name a mail server or an identity provider first. Send them this page’s address.</p></div>{{/canSignIn}}
        {{> bottom}}
        """

    static let codeText = """
        {{> top}}
        <h1>Check your mail</h1>
        <p class="lead">If {{purpose}} meant for <strong>{{email}}</strong>, a code is on its way. It works for ten minutes, in this browser.</p>
        {{#trouble}}<div class="note"><strong>Mail is slow at the moment.</strong><p>Our mail server does not answer just now. The code may come late; if none comes, send another in a few minutes.</p></div>{{/trouble}}
        {{#logged}}<div class="note"><strong>No mail is sent from here.</strong><p>This gateway has no mail server and runs on one machine: the code stands in its log.</p></div>{{/logged}}
        <form class="card" method="post" action="{{base}}/_code">
        <input type="hidden" name="csrf" value="{{csrf}}"><input type="hidden" name="server" value="{{focus}}">
        <div class="field"><label for="code">The eight digits</label>
        <input type="text" class="code" id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="11" required autofocus spellcheck="false"{{#error}} aria-invalid="true" aria-describedby="code-error"{{/error}}>
        {{#error}}<p class="error" id="code-error" role="alert">{{error}}</p>{{/error}}</div>
        <div class="row"><button>Continue</button></div>
        </form>
        <form method="post" action="{{base}}/_sign-in"><input type="hidden" name="csrf" value="{{csrf}}"><input type="hidden" name="server" value="{{focus}}"><input type="hidden" name="email" value="{{email}}">
        <p class="hint">Nothing came? Look in the spam folder, or <button class="plain">send another code</button>. Wrong address? <a href="{{base}}?address">Change it</a>.{{^isAdmin}} If you are not sure which address it is for, ask whoever sent you here.{{/isAdmin}}</p></form>
        {{> bottom}}
        """

    static let serversText = """
        {{> top}}
        <h1>{{headline}}</h1>
        <p class="lead">{{lead}}</p>
        {{#saved}}<div class="good" role="status"><strong>{{saved}}</strong><p>{{savedWords}}</p></div>{{/saved}}
        {{#problem}}<div class="error" role="alert"><strong>{{problem}}</strong><p>{{problemWords}}</p></div>{{/problem}}
        {{#hasServers}}<div class="progress"><progress max="{{count}}" value="{{done}}" aria-label="{{done}} of {{count}} connected"></progress><span>{{done}} of {{count}} connected</span></div>{{/hasServers}}
        {{#cards}}{{> serverCard}}{{/cards}}
        {{^hasServers}}<section class="card empty"><h2>There is nothing to connect</h2><p>{{nothing}}</p></section>{{/hasServers}}
        {{#canFinish}}<form class="row" method="get" action="{{base}}/_finish"><button class="quiet">I am done for good</button><span class="hint">This link works once: it ends when you say so, or when everything is connected.</span></form>{{/canFinish}}
        {{#closing}}<p class="hint">{{closing}}</p>{{/closing}}
        {{> bottom}}
        """

    static let serverCardText = """
        <section class="card server" id="{{id}}" aria-labelledby="{{id}}-title">{{#icon}}<img class="mark" src="{{icon}}" alt="" width="40" height="40">{{/icon}}{{^icon}}<span class="mark" aria-hidden="true">{{initial}}</span>{{/icon}}
        <div><h2 id="{{id}}-title">{{title}}</h2>{{#description}}<p class="hint">{{description}}</p>{{/description}}</div>
        {{#offersConnect}}<span class="action"><form method="post" action="{{action}}/_oauth"><input type="hidden" name="csrf" value="{{csrf}}"><button{{#isLater}} class="quiet"{{/isLater}}>Connect<span class="hidden"> {{title}}</span></button></form></span>{{/offersConnect}}
        {{#offersForm}}<span class="action"><a class="button{{#isLater}} quiet{{/isLater}}" href="{{action}}?enter#{{id}}">Enter {{noun}}<span class="hidden"> for {{title}}</span></a></span>{{/offersForm}}
        {{#showsState}}{{> stateMark}}{{/showsState}}
        {{#error}}<div class="inside"><div class="{{#isOpenQuestion}}note{{/isOpenQuestion}}{{^isOpenQuestion}}error{{/isOpenQuestion}}" role="alert"><strong>{{error}}</strong><p>{{errorWords}}</p></div>
        {{#keep}}<form class="row" method="post" action="{{action}}"><input type="hidden" name="csrf" value="{{csrf}}"><input type="hidden" name="kept" value="{{keep}}"><button name="do" value="keep">Keep it unchecked</button><a class="button quiet" href="{{action}}?enter#{{id}}">Enter it again</a></form>{{/keep}}
        {{#renews}}{{#isOAuth}}<form class="row" method="post" action="{{action}}/_oauth"><input type="hidden" name="csrf" value="{{csrf}}"><button{{#isLater}} class="quiet"{{/isLater}}>Connect again<span class="hidden"> {{title}}</span></button></form>{{/isOAuth}}
        {{^isOAuth}}<div class="row"><a class="button{{#isLater}} quiet{{/isLater}}" href="{{action}}?enter#{{id}}">Enter a new one<span class="hidden"> for {{title}}</span></a></div>{{/isOAuth}}{{/renews}}</div>{{/error}}
        {{#isForm}}<form class="inside" method="post" action="{{action}}" autocomplete="off"><input type="hidden" name="csrf" value="{{csrf}}">
        {{#fields}}<div class="field"><label for="{{id}}">{{label}}</label>
        <div class="secret"><input type="text" id="{{id}}" name="{{name}}" autocomplete="off" autocapitalize="none" autocorrect="off" spellcheck="false" data-1p-ignore data-lpignore="true" data-bwignore maxlength="8192" required{{#first}} autofocus{{/first}}{{#error}} aria-invalid="true"{{/error}} aria-describedby="{{#error}}{{id}}-error {{/error}}{{id}}-help">
        <label class="toggle" for="{{id}}-show"><input type="checkbox" class="show" id="{{id}}-show">Show<span class="hidden"> what you entered</span></label></div>
        {{#error}}<p class="error" id="{{id}}-error" role="alert">{{error}}</p>{{/error}}
        <p class="hint" id="{{id}}-help">{{help}}</p></div>{{/fields}}
        <div class="row"><button name="do" value="save">{{#isTried}}Check and save{{/isTried}}{{^isTried}}Save{{/isTried}}</button><a class="button quiet" href="{{base}}">{{#isReplacing}}Keep the present one{{/isReplacing}}{{^isReplacing}}Later{{/isReplacing}}</a></div>
        <p class="hint">{{fate}}</p>
        </form>{{/isForm}}
        {{#isEnding}}<form class="inside" method="post" action="{{action}}"><input type="hidden" name="csrf" value="{{csrf}}">
        <div class="note"><strong>Disconnect {{title}}?</strong><p>{{ending}}</p></div>
        <div class="row"><button class="danger" name="do" value="disconnect">Disconnect</button><a class="button quiet" href="{{base}}">Keep it</a></div>
        </form>{{/isEnding}}
        {{#isSettled}}<div class="inside quietly"><span>{{since}}</span>{{#replaces}}<a href="{{action}}?replace#{{id}}">Replace<span class="hidden"> {{title}}</span></a>{{/replaces}}<a href="{{action}}?disconnect#{{id}}">Disconnect<span class="hidden"> {{title}}</span></a></div>{{/isSettled}}
        </section>

        """

    static let finishText = """
        {{> top}}
        <h1>Finish with this link?</h1>
        <p class="lead">{{lead}}</p>
        <form class="card" method="post" action="{{base}}/_finish"><input type="hidden" name="csrf" value="{{csrf}}">
        <p>The link works once. After this it is closed, for you too; what you have connected stays connected.</p>
        <div class="row"><button>Finish</button><a class="button quiet" href="{{base}}">Go back</a></div>
        </form>
        {{> bottom}}
        """

    static let finishedText = """
        {{> top}}
        <h1>{{headline}}</h1>
        <p class="lead">{{lead}}</p>
        {{#hasServers}}<section class="card"><h2>Connected</h2>{{#cards}}<p class="hint">{{> stateMark}} {{title}}</p>{{/cards}}</section>{{/hasServers}}
        <p class="hint">{{closing}}</p>
        {{> bottom}}
        """

    static let leavingText = """
        {{> top}}
        <h1>On to {{target}}</h1>
        <p class="lead">{{target}} asks you itself whether {{project}}’s agents may use it {{#isShared}}for everybody{{/isShared}}{{^isShared}}for you{{/isShared}}. You come back here when you have answered.</p>
        <section class="card"><p>You are taken to <strong>{{host}}</strong>. If nothing happens, go there yourself:</p><div class="row"><a class="button" href="{{url}}" rel="noreferrer">Continue to {{target}}</a><a class="button quiet" href="{{base}}">Not now</a></div></section>
        {{> bottom}}
        """

    static let toProviderText = """
        {{> top}}
        <h1>On to your company’s sign-in</h1>
        <p class="lead">Sign in there as you do at work. You come back here when you are done; we learn your email address from it, and nothing else.</p>
        <section class="card"><p>You are taken to <strong>{{host}}</strong>. If nothing happens, go there yourself:</p><div class="row"><a class="button" href="{{url}}" rel="noreferrer">Continue to {{host}}</a><a class="button quiet" href="{{base}}">Not now</a></div></section>
        {{> bottom}}
        """

    static let noticeText = """
        {{> top}}
        <h1>{{headline}}</h1>
        <p class="lead">{{lead}}</p>
        {{#next}}<section class="card"><h2>What you can do</h2><p>{{next}}</p>{{#links}}<div class="row"><a class="button{{#quiet}} quiet{{/quiet}}" href="{{href}}">{{label}}</a></div>{{/links}}
        {{#leave}}<form class="row" method="post" action="{{signOut}}"><input type="hidden" name="csrf" value="{{csrf}}"><button>{{leave}}</button></form>{{/leave}}</section>{{/next}}
        {{#operator}}<section class="card"><h2>If you run this gateway</h2><p>{{operator}}</p>{{#command}}<pre><code>{{command}}</code></pre>{{/command}}</section>{{/operator}}
        {{> bottom}}
        """
}
