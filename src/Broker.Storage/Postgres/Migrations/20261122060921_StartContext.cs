using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Broker.Storage.Postgres.Migrations
{
    /// <inheritdoc />
    public partial class StartContext : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "start_context",
                table: "run",
                type: "text",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "start_context",
                table: "run");
        }
    }
}
