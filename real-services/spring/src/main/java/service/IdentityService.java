package service;

import com.nimbusds.jose.jwk.JWKSelector;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.proc.SecurityContext;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.interfaces.RSAPublicKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.core.annotation.Order;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.authority.AuthorityUtils;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.core.userdetails.UserDetailsService;
import org.springframework.security.core.userdetails.UsernameNotFoundException;
import org.springframework.security.oauth2.core.AuthorizationGrantType;
import org.springframework.security.oauth2.core.ClientAuthenticationMethod;
import org.springframework.security.oauth2.core.oidc.OidcUserInfo;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.server.authorization.OAuth2TokenType;
import org.springframework.security.oauth2.server.authorization.client.InMemoryRegisteredClientRepository;
import org.springframework.security.oauth2.server.authorization.client.RegisteredClient;
import org.springframework.security.oauth2.server.authorization.client.RegisteredClientRepository;
import org.springframework.security.oauth2.server.authorization.config.annotation.web.configuration.OAuth2AuthorizationServerConfiguration;
import org.springframework.security.oauth2.server.authorization.config.annotation.web.configurers.OAuth2AuthorizationServerConfigurer;
import org.springframework.security.oauth2.server.authorization.oidc.authentication.OidcUserInfoAuthenticationContext;
import org.springframework.security.oauth2.server.authorization.settings.AuthorizationServerSettings;
import org.springframework.security.oauth2.server.authorization.settings.ClientSettings;
import org.springframework.security.oauth2.server.authorization.settings.TokenSettings;
import org.springframework.security.oauth2.server.authorization.token.JwtEncodingContext;
import org.springframework.security.oauth2.server.authorization.token.OAuth2TokenCustomizer;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.authentication.LoginUrlAuthenticationEntryPoint;
import org.springframework.security.web.util.matcher.MediaTypeRequestMatcher;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

/** A company's OAuth2 service on Spring Authorization Server. A test changes its people and keys under /test. */
@SpringBootApplication
public class IdentityService {

  /** The current roles of each person. */
  static final Map<String, List<String>> people = new ConcurrentHashMap<>(Map.of(
      "ulla", List.of("ROLE_ADMIN"),
      "otto", List.of("ROLE_USER")));

  /** The newest key is the first and signs. */
  static final List<RSAKey> keys = new CopyOnWriteArrayList<>(List.of(newKey()));

  public static void main(String[] arguments) {
    SpringApplication.run(IdentityService.class, arguments);
  }

  static RSAKey newKey() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(2048);
      KeyPair pair = generator.generateKeyPair();
      return new RSAKey.Builder((RSAPublicKey) pair.getPublic()).privateKey(pair.getPrivate()).keyID(UUID.randomUUID().toString()).build();
    } catch (java.security.NoSuchAlgorithmException thrown) {
      throw new IllegalStateException(thrown);
    }
  }

  @Bean
  @Order(1)
  SecurityFilterChain protocol(HttpSecurity http) throws Exception {
    OAuth2AuthorizationServerConfigurer server = OAuth2AuthorizationServerConfigurer.authorizationServer();
    Function<OidcUserInfoAuthenticationContext, OidcUserInfo> userInfo = context -> {
      String subject = context.getAuthorization().getPrincipalName();
      return OidcUserInfo.builder().subject(subject).claim("roles", people.getOrDefault(subject, List.of())).build();
    };
    http.securityMatcher(server.getEndpointsMatcher())
        .with(server, each -> each.oidc(oidc -> oidc.userInfoEndpoint(endpoint -> endpoint.userInfoMapper(userInfo))))
        .authorizeHttpRequests(requests -> requests.anyRequest().authenticated())
        .exceptionHandling(handling -> handling.defaultAuthenticationEntryPointFor(
            new LoginUrlAuthenticationEntryPoint("/login"), new MediaTypeRequestMatcher(MediaType.TEXT_HTML)))
        .oauth2ResourceServer(resource -> resource.jwt(Customizer.withDefaults()));
    return http.build();
  }

  @Bean
  @Order(2)
  SecurityFilterChain pages(HttpSecurity http) throws Exception {
    http.authorizeHttpRequests(requests -> requests
            .requestMatchers("/test/**").permitAll()
            .requestMatchers("/api/people/**").hasAuthority("SCOPE_people.read")
            .anyRequest().authenticated())
        .csrf(csrf -> csrf.ignoringRequestMatchers("/test/**"))
        .oauth2ResourceServer(resource -> resource.jwt(Customizer.withDefaults()))
        .formLogin(Customizer.withDefaults());
    return http.build();
  }

  @Bean
  UserDetailsService users() {
    return name -> {
      List<String> roles = people.get(name);
      if (roles == null) throw new UsernameNotFoundException(name);
      return new User(name, "{noop}password", AuthorityUtils.createAuthorityList(roles));
    };
  }

  @Bean
  RegisteredClientRepository clients() {
    RegisteredClient web = RegisteredClient.withId("1").clientId("web").clientSecret("{noop}web-secret")
        .clientAuthenticationMethod(ClientAuthenticationMethod.CLIENT_SECRET_BASIC)
        .authorizationGrantType(AuthorizationGrantType.AUTHORIZATION_CODE)
        .redirectUri("http://127.0.0.1/callback")
        .scopes(scopes -> scopes.addAll(Set.of("openid", "profile", "llm:model:view", "llm:model:use", "llm:model:manage", "llm:mcp:view")))
        .clientSettings(ClientSettings.builder().requireAuthorizationConsent(false).requireProofKey(false).build())
        .tokenSettings(TokenSettings.builder().accessTokenTimeToLive(Duration.ofHours(1)).build())
        .build();
    RegisteredClient pailou = RegisteredClient.withId("2").clientId("pailou").clientSecret("{noop}pailou-secret")
        .clientAuthenticationMethod(ClientAuthenticationMethod.CLIENT_SECRET_BASIC)
        .authorizationGrantType(AuthorizationGrantType.CLIENT_CREDENTIALS)
        .scope("people.read")
        .build();
    return new InMemoryRegisteredClientRepository(web, pailou);
  }

  /** The authorities of a person as they were when the token was issued. */
  @Bean
  OAuth2TokenCustomizer<JwtEncodingContext> authorities() {
    return context -> {
      context.getJwsHeader().keyId(keys.get(0).getKeyID());
      if (!OAuth2TokenType.ACCESS_TOKEN.equals(context.getTokenType())) return;
      List<String> roles = people.get(context.getPrincipal().getName());
      if (roles == null) return;
      List<String> all = new ArrayList<>(roles);
      all.addAll(List.of("llm:model:view", "llm:model:use", "llm:model:manage"));
      context.getClaims().claim("authorities", all);
    };
  }

  @Bean
  JWKSource<SecurityContext> keySource() {
    return (JWKSelector selector, SecurityContext context) -> selector.select(new JWKSet(new ArrayList<>(keys)));
  }

  @Bean
  JwtDecoder jwtDecoder(JWKSource<SecurityContext> source) {
    return OAuth2AuthorizationServerConfiguration.jwtDecoder(source);
  }

  @Bean
  AuthorizationServerSettings serverSettings() {
    return AuthorizationServerSettings.builder().build();
  }

  @RestController
  static class People {
    /** For services with the scope people.read. */
    @GetMapping("/api/people/{name}")
    Map<String, Object> person(@PathVariable String name) {
      List<String> roles = people.get(name);
      if (roles == null) throw new ResponseStatusException(HttpStatus.NOT_FOUND);
      return Map.of("sub", name, "enabled", true, "roles", roles);
    }

    @PutMapping("/test/people/{name}")
    void change(@PathVariable String name, @RequestBody List<String> roles) {
      people.put(name, roles);
    }

    @DeleteMapping("/test/people/{name}")
    void dismiss(@PathVariable String name) {
      people.remove(name);
    }

    /** Signs with a new key; the old ones stay valid. */
    @PostMapping("/test/keys")
    void rotate() {
      keys.add(0, newKey());
    }
  }
}
